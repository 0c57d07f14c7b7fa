import {
  defineResource,
  memoryResourceDirectory,
  type ResourceDefinition,
  type ResourceDirectory,
} from '@caracal/core';
import { mountAbove } from './mount-above.js';

/** A row of `caracal.resources`. */
export interface ResourceRow {
  readonly zone: string;
  readonly identifier: string;
  /** JSON. */
  readonly document: string;
}

/** Makes a definition of a row's document. `zone` and `identifier` of what it answers are the row's, whatever it says. */
export type DefineResource = (
  document: unknown,
  row: { readonly zone: string; readonly identifier: string },
) => Omit<ResourceDefinition, 'identifier' | 'zone'>;

/** A row that was accepted, and what was made of it. */
export interface AcceptedRow {
  readonly document: string;
  readonly definition: ResourceDefinition;
}

/** A row that is not in order. */
export interface RefusedRow {
  readonly zone: string;
  readonly identifier: string;
  readonly document: string;
  readonly reason: string;
  /** Its last good definition stays in force; else the resource is not there. */
  readonly keptLastGood: boolean;
}

/** What came of all rows. */
export interface AcceptedRows {
  /** Of the accepted rows and what stands beside them. */
  readonly directory: ResourceDirectory;
  readonly accepted: ReadonlyMap<string, AcceptedRow>;
  readonly refused: readonly RefusedRow[];
}

/** What rows are judged by. */
export interface RowJudge {
  readonly define: DefineResource;
  /** Resources that come from elsewhere, in order together: a row that clashes with one is refused. Default none. */
  readonly beside?: readonly ResourceDefinition[];
}

interface Candidate {
  readonly row: ResourceRow;
  readonly offered: AcceptedRow | undefined;
  readonly lastGood: AcceptedRow | undefined;
  /** Why there is nothing to offer. */
  readonly reason: string;
}

/**
 * Makes a directory of rows. A row that is wrong, alone or beside the others, costs itself and nothing else: its last good
 * definition stays where there is one. Rows that have not changed come before those that have.
 */
export function acceptRows(
  rows: readonly ResourceRow[],
  before: ReadonlyMap<string, AcceptedRow>,
  { define, beside = [] }: RowJudge,
): AcceptedRows {
  const candidates = rows.map((row) => candidateOf(row, before.get(keyOf(row)), define));
  const isUnchanged = ({ offered, lastGood }: Candidate) => offered !== undefined && offered === lastGood;
  const sorted = [...candidates.filter(isUnchanged), ...candidates.filter((candidate) => !isUnchanged(candidate))];
  const admission = new Admission(beside);
  admission.admit(sorted);
  return { directory: admission.directory(), accepted: admission.accepted, refused: admission.refused };
}

/** The rows with what another judge makes of their last good documents; those that it refuses are left out. */
export function judgedAnew(
  accepted: ReadonlyMap<string, AcceptedRow>,
  define: DefineResource,
): ReadonlyMap<string, AcceptedRow> {
  const anew = new Map<string, AcceptedRow>();
  for (const [key, { document, definition }] of accepted) {
    const { zone = '', identifier } = definition;
    const { offered } = candidateOf({ zone, identifier, document }, undefined, define);
    if (offered !== undefined) anew.set(key, offered);
  }
  return anew;
}

function candidateOf(row: ResourceRow, lastGood: AcceptedRow | undefined, define: DefineResource): Candidate {
  const { zone, identifier, document } = row;
  if (lastGood?.document === document) return { row, offered: lastGood, lastGood, reason: '' };
  try {
    const definition = { ...define(JSON.parse(document), { zone, identifier }), zone, identifier };
    defineResource(definition);
    return { row, offered: { document, definition }, lastGood, reason: '' };
  } catch (cause) {
    return { row, offered: undefined, lastGood, reason: reasonOf(cause) };
  }
}

class Admission {
  readonly accepted = new Map<string, AcceptedRow>();
  readonly refused: RefusedRow[] = [];
  readonly #beside: readonly ResourceDefinition[];

  constructor(beside: readonly ResourceDefinition[]) {
    this.#beside = beside;
  }

  // Together where nothing clashes; else in halves, so that what clashes is found without trying each.
  admit(candidates: readonly Candidate[]): void {
    const clash = this.#tryAll(candidates);
    if (clash === undefined) return;
    const [only] = candidates;
    if (candidates.length > 1 || only === undefined) {
      const middle = candidates.length >> 1;
      this.admit(candidates.slice(0, middle));
      this.admit(candidates.slice(middle));
      return;
    }
    const fallback = only.offered === only.lastGood ? undefined : only.lastGood;
    const keptLastGood = fallback !== undefined && this.#tryAll([{ ...only, offered: fallback }]) === undefined;
    this.refused.push({ ...only.row, reason: only.reason === '' ? clash : only.reason, keptLastGood });
  }

  directory(more: readonly AcceptedRow[] = []): ResourceDirectory {
    const rows = [...this.accepted.values(), ...more].map(({ definition }) => definition);
    return memoryResourceDirectory([...this.#beside, ...rows]);
  }

  /** Accepts all of them, or none and says why. */
  #tryAll(candidates: readonly Candidate[]): string | undefined {
    const offered = candidates.flatMap(({ row, offered: one }) =>
      one === undefined ? [] : [[keyOf(row), one] as const],
    );
    if (offered.length < candidates.length) return 'not in order';
    const rows = offered.map(([, one]) => one);
    for (const { definition } of rows) {
      const above = mountAbove(definition, this.#beside);
      if (above !== undefined) return `mount: lies within that of ${above.identifier}, which is not from this table`;
    }
    try {
      this.directory(rows);
    } catch (cause) {
      return reasonOf(cause);
    }
    for (const [key, one] of offered) this.accepted.set(key, one);
    return undefined;
  }
}

function keyOf({ zone, identifier }: ResourceRow): string {
  return JSON.stringify([zone, identifier]);
}

// Messages of a TypeError name the member and the remedy, and hold no secret; of others nothing is known.
function reasonOf(cause: unknown): string {
  return cause instanceof TypeError ? cause.message.slice(0, 500) : 'it cannot be made a resource';
}
