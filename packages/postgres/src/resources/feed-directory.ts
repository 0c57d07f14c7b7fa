import {
  CaracalError,
  type MountMatch,
  memoryResourceDirectory,
  type Resource,
  type ResourceDefinition,
  type ResourceDirectory,
  refuseUnknownOptions,
} from '@caracal/core';
import type { OnPostgresWarning } from '../warning.js';
import {
  type AcceptedRow,
  type AcceptedRows,
  acceptRows,
  type DefineResource,
  judgedAnew,
  type RefusedRow,
  type ResourceRow,
} from './accept-rows.js';

/** Options of a directory of a feed. */
export interface FeedDirectoryOptions {
  /** Makes a definition of a row's document. @throws TypeError for one that is not in order. */
  readonly define: DefineResource;
  /**
   * Resources that come from elsewhere, in order together. They are answered whatever is known of the rows, and win: a row with
   * the identifier of one, or a mount within its mount, is refused. Default none.
   */
  readonly beside?: readonly ResourceDefinition[];
  /** Told of each row that is refused, once. Default: as the feed. */
  readonly onWarning?: OnPostgresWarning;
}

/** A directory that follows a feed. Answers are synchronous and wait for nothing. */
export interface FeedDirectory extends ResourceDirectory {
  /** How many rows are in force, and which are refused. */
  rows(): { readonly accepted: readonly ResourceDefinition[]; readonly refused: readonly RefusedRow[] };
  /** Follows no more; what was read is answered from. Idempotent. */
  close(): void;
}

/** What a directory asks its feed. */
export interface FeedState {
  /** What the directory before has accepted. */
  readonly lastGood: ReadonlyMap<string, AcceptedRow> | undefined;
  freshAsOf(): number | undefined;
  isStale(freshAsOf: number): boolean;
  onClose(): void;
}

/** See {@link FeedDirectory}. */
export class FollowingDirectory implements FeedDirectory {
  readonly #options: FeedDirectoryOptions & { readonly onWarning: OnPostgresWarning };
  readonly #feed: FeedState;
  readonly #beside: ResourceDirectory;
  #rows: AcceptedRows | undefined;
  #accepted: ReadonlyMap<string, AcceptedRow>;
  /** What was warned of, so that it is said once. */
  #told = new Set<string>();

  constructor(options: FeedDirectoryOptions & { readonly onWarning: OnPostgresWarning }, feed: FeedState) {
    refuseUnknownOptions('directory', options, ['define', 'beside', 'onWarning']);
    if (typeof options.define !== 'function') throw new TypeError('directory: define is a function');
    this.#options = options;
    this.#feed = feed;
    this.#beside = memoryResourceDirectory(options.beside ?? []);
    this.#accepted = judgedAnew(feed.lastGood ?? new Map(), options.define);
  }

  byIdentifier(zoneId: string, identifier: string): Resource | undefined {
    // What stands beside the rows does not depend on them.
    const found = this.#beside.byIdentifier(zoneId, identifier) as Resource | undefined;
    return found ?? (this.#current().byIdentifier(zoneId, identifier) as Resource | undefined);
  }

  byMount(zoneId: string, host: string, path: string): MountMatch | undefined {
    const found = this.#beside.byMount(zoneId, host, path) as MountMatch | undefined;
    return found ?? (this.#current().byMount(zoneId, host, path) as MountMatch | undefined);
  }

  namesMethod(method: string): boolean {
    return this.#beside.namesMethod(method) || this.#current().namesMethod(method);
  }

  extraMethods(): ReadonlySet<string> {
    return (this.#rows?.directory ?? this.#beside).extraMethods();
  }

  /** Its rows, and what was made of them. */
  get accepted(): ReadonlyMap<string, AcceptedRow> {
    return this.#accepted;
  }

  rows(): { readonly accepted: readonly ResourceDefinition[]; readonly refused: readonly RefusedRow[] } {
    const accepted = this.#rows === undefined ? [] : [...this.#accepted.values()];
    return { accepted: accepted.map(({ definition }) => definition), refused: this.#rows?.refused ?? [] };
  }

  close(): void {
    this.#feed.onClose();
  }

  /** Everything that is in the table now. */
  take(rows: readonly ResourceRow[]): void {
    const { onWarning } = this.#options;
    this.#rows = acceptRows(rows, this.#accepted, this.#options);
    this.#accepted = this.#rows.accepted;
    const told = new Set<string>();
    for (const { zone, identifier, reason, document, keptLastGood } of this.#rows.refused) {
      const key = JSON.stringify([zone, identifier, document, reason]);
      told.add(key);
      if (this.#told.has(key)) continue;
      const consequence = keptLastGood ? 'its last good definition stays' : 'there is no such resource';
      onWarning({
        code: 'row_refused',
        message: `resource ${JSON.stringify(identifier)} of zone ${JSON.stringify(zone)} is refused, ${consequence}: ${reason}`,
      });
    }
    this.#told = told;
  }

  #current(): ResourceDirectory {
    const asOf = this.#feed.freshAsOf();
    if (this.#rows === undefined || asOf === undefined) {
      throw new CaracalError('directory_unavailable', 'directory_not_read');
    }
    if (this.#feed.isStale(asOf)) throw new CaracalError('directory_unavailable', 'directory_stale');
    return this.#rows.directory;
  }
}
