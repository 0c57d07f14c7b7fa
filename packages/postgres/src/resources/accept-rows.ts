import {
  defineResource,
  memoryResourceDirectory,
  type ResourceDefinition,
  type ResourceDirectory,
} from '@caracal/core';

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
interface AcceptedRow {
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
  readonly directory: ResourceDirectory;
  readonly accepted: ReadonlyMap<string, AcceptedRow>;
  readonly refused: readonly RefusedRow[];
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
  define: DefineResource,
): AcceptedRows {
  const candidates = rows.map((row) => candidateOf(row, before.get(keyOf(row)), define));
  const isUnchanged = ({ offered, lastGood }: Candidate) => offered !== undefined && offered === lastGood;
  const sorted = [...candidates.filter(isUnchanged), ...candidates.filter((candidate) => !isUnchanged(candidate))];
  const accepted = new Map<string, AcceptedRow>();
  const refused: RefusedRow[] = [];
  admit(sorted, accepted, refused);
  return { directory: directoryOf(accepted.values()), accepted, refused };
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

// Together where nothing clashes; else in halves, so that what clashes is found without trying each.
function admit(candidates: readonly Candidate[], accepted: Map<string, AcceptedRow>, refused: RefusedRow[]): void {
  const clash = tryAll(candidates, accepted);
  if (clash === undefined) return;
  const [only] = candidates;
  if (candidates.length > 1 || only === undefined) {
    const middle = candidates.length >> 1;
    admit(candidates.slice(0, middle), accepted, refused);
    admit(candidates.slice(middle), accepted, refused);
    return;
  }
  const fallback = only.offered === only.lastGood ? undefined : only.lastGood;
  const keptLastGood = fallback !== undefined && tryAll([{ ...only, offered: fallback }], accepted) === undefined;
  refused.push({ ...only.row, reason: only.reason === '' ? clash : only.reason, keptLastGood });
}

/** Accepts all of them, or none and says why. */
function tryAll(candidates: readonly Candidate[], accepted: Map<string, AcceptedRow>): string | undefined {
  const offered = candidates.flatMap(({ row, offered: one }) =>
    one === undefined ? [] : [[keyOf(row), one] as const],
  );
  if (offered.length < candidates.length) return 'not in order';
  try {
    directoryOf([...accepted.values(), ...offered.map(([, one]) => one)]);
  } catch (cause) {
    return reasonOf(cause);
  }
  for (const [key, one] of offered) accepted.set(key, one);
  return undefined;
}

function directoryOf(accepted: Iterable<AcceptedRow>): ResourceDirectory {
  return memoryResourceDirectory([...accepted].map(({ definition }) => definition));
}

function keyOf({ zone, identifier }: ResourceRow): string {
  return JSON.stringify([zone, identifier]);
}

// Messages of a TypeError name the member and the remedy, and hold no secret; of others nothing is known.
function reasonOf(cause: unknown): string {
  return cause instanceof TypeError ? cause.message.slice(0, 500) : 'it cannot be made a resource';
}
