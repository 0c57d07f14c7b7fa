import {
  CaracalError,
  type Clock,
  type MountMatch,
  type Resource,
  type ResourceDirectory,
  refuseUnknownOptions,
  systemClock,
  wholeNumber,
} from '@caracal/core';
import type { PostgresPool } from '../pool.js';
import { PostgresError } from '../postgres-error.js';
import { emitWarning, type OnPostgresWarning } from '../warning.js';
import { type AcceptedRows, acceptRows, type DefineResource, type RefusedRow } from './accept-rows.js';
import { type FeedQuery, followChanges } from './change-feed.js';

/** Options of {@link postgresResourceDirectory}. */
export interface PostgresResourceDirectoryOptions {
  /** A pool whose role has the gateway's grants. One of its connections is kept to listen. */
  readonly pool: PostgresPool;
  /** Makes a definition of a row's document. @throws TypeError for one that is not in order. */
  readonly define: DefineResource;
  /** More rows are refused as a whole, and the last good ones stay. Default 5,000. */
  readonly maxResources?: number;
  /** Size of all documents together. Default 32 MiB. */
  readonly maxBytes?: number;
  /** How often changes are looked for without news, ms. Default 15,000. */
  readonly pollMs?: number;
  /** What was read is answered from for so long, ms, when PostgreSQL is away. Default: without limit. */
  readonly maxStalenessMs?: number;
  /** Deadline of one statement, ms. Default 10,000. */
  readonly timeoutMs?: number;
  /** Default: `process.emitWarning`. */
  readonly onWarning?: OnPostgresWarning;
  readonly clock?: Clock;
}

/** Defaults of {@link PostgresResourceDirectoryOptions}. */
export const POSTGRES_DIRECTORY_DEFAULTS = Object.freeze({
  maxResources: 5000,
  maxBytes: 32 * 1024 * 1024,
  pollMs: 15_000,
  timeoutMs: 10_000,
});

/** How a directory stands. */
export interface PostgresDirectoryStatus {
  readonly resources: number;
  readonly refused: readonly RefusedRow[];
  /** Monotonic time at the start of the last reading that was complete, ms; `undefined`: none was. */
  readonly freshAsOf: number | undefined;
  /** Why the last reading failed: a code of `PostgresError`. */
  readonly fault: string | undefined;
}

/** A directory that follows the table `caracal.resources`. */
export interface PostgresResourceDirectory extends ResourceDirectory {
  /** Resolves when it was read for the first time; rejects with PostgresError `timeout`. Before, look-ups throw. */
  ready(timeoutMs?: number): Promise<void>;
  status(): PostgresDirectoryStatus;
  /** Ends listening; what was read is answered from. Idempotent. */
  close(): Promise<void>;
}

const CHANNEL = 'caracal_resources';
const SIZE = `SELECT (SELECT generation::text FROM caracal.resource_generation) AS generation, count(*)::int AS resources,
  coalesce(sum(octet_length(document::text)), 0)::float8 AS bytes FROM caracal.resources`;
const ROWS = `SELECT changes.generation::text AS generation, zone, identifier, document::text AS document
  FROM caracal.resource_generation AS changes LEFT JOIN caracal.resources ON true ORDER BY zone, identifier`;
const FACTORY = 'postgresResourceDirectory';

/**
 * The resources of the table `caracal.resources`, held here whole: answers are synchronous and wait for nothing. A change
 * is told by a notification and read at once; after a lost connection everything is read again. A row that is not in order
 * is refused with a warning, and its last good one stays.
 *
 * @throws TypeError for options that are not in order.
 */
export function postgresResourceDirectory(options: PostgresResourceDirectoryOptions): PostgresResourceDirectory {
  const known = ['pool', 'define', ...Object.keys(POSTGRES_DIRECTORY_DEFAULTS), 'maxStalenessMs', 'onWarning', 'clock'];
  refuseUnknownOptions(FACTORY, options, known);
  const settings = { ...POSTGRES_DIRECTORY_DEFAULTS, onWarning: emitWarning, clock: systemClock, ...options };
  if (typeof settings.define !== 'function') throw new TypeError(`${FACTORY}: define is a function`);
  for (const name of ['maxResources', 'maxBytes', 'pollMs', 'timeoutMs'] as const) {
    wholeNumber(FACTORY, name, settings[name]);
  }
  if (options.maxStalenessMs !== undefined) wholeNumber(FACTORY, 'maxStalenessMs', options.maxStalenessMs);
  return new FollowedDirectory(settings);
}

type Settings = Required<Omit<PostgresResourceDirectoryOptions, 'maxStalenessMs'>> &
  Pick<PostgresResourceDirectoryOptions, 'maxStalenessMs'>;

class FollowedDirectory implements PostgresResourceDirectory {
  readonly #settings: Settings;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  readonly #firstRead: Promise<void>;
  #read: () => void = () => {};
  #rows: AcceptedRows | undefined;
  #generation: string | undefined;
  #freshAsOf: number | undefined;
  #fault: PostgresError | undefined;
  /** What was warned of, so that it is said once. */
  #told = new Set<string>();

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#firstRead = new Promise((resolve) => {
      this.#read = resolve;
    });
    const { pool, pollMs, timeoutMs } = settings;
    const onChange = (query: FeedQuery, sure: boolean) => this.#look(query, sure);
    const onFault = (cause: PostgresError) => this.#failed(cause);
    this.#running = followChanges(
      { pool, channel: CHANNEL, pollMs, timeoutMs, onChange, onFault },
      this.#ending.signal,
    );
  }

  byIdentifier(zoneId: string, identifier: string): Resource | undefined {
    return this.#current().directory.byIdentifier(zoneId, identifier) as Resource | undefined;
  }

  byMount(zoneId: string, host: string, path: string): MountMatch | undefined {
    return this.#current().directory.byMount(zoneId, host, path) as MountMatch | undefined;
  }

  extraMethods(): ReadonlySet<string> {
    return this.#rows?.directory.extraMethods() ?? NONE;
  }

  async ready(timeoutMs = this.#settings.timeoutMs): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#fault ?? new PostgresError('timeout')), timeoutMs);
    });
    try {
      await Promise.race([this.#firstRead, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  status(): PostgresDirectoryStatus {
    return {
      resources: this.#rows?.accepted.size ?? 0,
      refused: this.#rows?.refused ?? [],
      freshAsOf: this.#freshAsOf,
      fault: this.#fault?.code,
    };
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  #current(): AcceptedRows {
    const { maxStalenessMs = Number.POSITIVE_INFINITY, clock } = this.#settings;
    if (this.#rows === undefined || this.#freshAsOf === undefined) {
      throw new CaracalError('directory_unavailable', 'directory_not_read');
    }
    if (clock.monotonic() - this.#freshAsOf > maxStalenessMs) {
      throw new CaracalError('directory_unavailable', 'directory_stale');
    }
    return this.#rows;
  }

  async #look(query: FeedQuery, sure: boolean): Promise<void> {
    const { clock, maxResources, maxBytes } = this.#settings;
    const asOf = clock.monotonic();
    const [size] = (await query(SIZE)).rows;
    if (sure || size.generation !== this.#generation) {
      if (size.resources > maxResources || size.bytes > maxBytes) {
        throw new PostgresError('refused', undefined, `${size.resources} resources, ${size.bytes} bytes are too many`);
      }
      const { rows } = await query(ROWS);
      this.#accept(rows.filter(({ zone }) => zone !== null));
      this.#generation = rows[0]?.generation;
    }
    this.#freshAsOf = asOf;
    this.#read();
    if (this.#fault === undefined) return;
    this.#fault = undefined;
    this.#settings.onWarning({ code: 'recovered', message: 'the resource directory is read from PostgreSQL again' });
  }

  #accept(rows: Parameters<typeof acceptRows>[0]): void {
    const { define, onWarning } = this.#settings;
    this.#rows = acceptRows(rows, this.#rows?.accepted ?? new Map(), define);
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

  #failed(cause: PostgresError): void {
    const before = this.#fault?.message;
    this.#fault = cause;
    if (before === cause.message) return;
    const stays = this.#rows === undefined ? 'no resource is known yet' : 'what was read stays in force';
    this.#settings.onWarning({
      code: 'unavailable',
      message: `the resource directory cannot be read, ${stays}: ${cause.message}`,
      cause,
    });
  }
}

const NONE: ReadonlySet<string> = new Set();
