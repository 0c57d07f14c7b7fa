import { type Clock, refuseUnknownOptions, systemClock, wholeNumber } from '@caracal/core';
import type { PostgresPool } from '../pool.js';
import { PostgresError } from '../postgres-error.js';
import { emitWarning, type OnPostgresWarning } from '../warning.js';
import type { ResourceRow } from './accept-rows.js';
import { type FeedQuery, followChanges } from './change-feed.js';
import { type FeedDirectory, type FeedDirectoryOptions, FollowingDirectory } from './feed-directory.js';

/** Options of {@link postgresResourceFeed}. */
export interface PostgresResourceFeedOptions {
  /** A pool whose role has the gateway's grants. One of its connections is kept to listen. */
  readonly pool: PostgresPool;
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

/** Defaults of {@link PostgresResourceFeedOptions}. */
export const POSTGRES_DIRECTORY_DEFAULTS = Object.freeze({
  maxResources: 5000,
  maxBytes: 32 * 1024 * 1024,
  pollMs: 15_000,
  timeoutMs: 10_000,
});

/** How a feed stands. */
export interface PostgresFeedStatus {
  /** In the table, in order or not, at the last reading that was complete. */
  readonly rows: number;
  /** Monotonic time at the start of the last reading that was complete, ms; `undefined`: none was. */
  readonly freshAsOf: number | undefined;
  /** Why the last reading failed: a code of `PostgresError`. */
  readonly fault: string | undefined;
}

/** Follows the table `caracal.resources`. What its rows mean is for its directories to say. */
export interface PostgresResourceFeed {
  /** Resolves when it was read for the first time; rejects with PostgresError `timeout`. */
  ready(timeoutMs?: number): Promise<void>;
  status(): PostgresFeedStatus;
  /**
   * A directory of the rows that follows their changes until it is closed. Where a row is not in order, the last good
   * document that a directory of this feed has accepted stays.
   */
  directory(options: FeedDirectoryOptions): FeedDirectory;
  /** Ends listening; directories answer from what was read. Idempotent. */
  close(): Promise<void>;
}

const CHANNEL = 'caracal_resources';
const SIZE = `SELECT (SELECT generation::text FROM caracal.resource_generation) AS generation, count(*)::int AS resources,
  coalesce(sum(octet_length(document::text)), 0)::float8 AS bytes FROM caracal.resources`;
const ROWS = `SELECT changes.generation::text AS generation, zone, identifier, document::text AS document
  FROM caracal.resource_generation AS changes LEFT JOIN caracal.resources ON true ORDER BY zone, identifier`;
const FACTORY = 'postgresResourceFeed';
const NUMBERS = ['maxResources', 'maxBytes', 'pollMs', 'timeoutMs'] as const;

/**
 * Follows the table `caracal.resources`: a change is told by a notification and read at once; after a lost connection
 * everything is read again. For one directory {@link postgresResourceDirectory} is shorter; a feed outlives its directories, so
 * that what was read is not lost where the meaning of the rows changes.
 *
 * @throws TypeError for options that are not in order.
 */
export function postgresResourceFeed(options: PostgresResourceFeedOptions): PostgresResourceFeed {
  const known = ['pool', ...Object.keys(POSTGRES_DIRECTORY_DEFAULTS), 'maxStalenessMs', 'onWarning', 'clock'];
  refuseUnknownOptions(FACTORY, options, known);
  const settings = { ...POSTGRES_DIRECTORY_DEFAULTS, onWarning: emitWarning, clock: systemClock, ...options };
  for (const name of NUMBERS) wholeNumber(FACTORY, name, settings[name]);
  if (options.maxStalenessMs !== undefined) wholeNumber(FACTORY, 'maxStalenessMs', options.maxStalenessMs);
  return new ResourceFeed(settings);
}

/** Options of a feed, its defaults filled in. */
export type FeedSettings = Required<Omit<PostgresResourceFeedOptions, 'maxStalenessMs'>> &
  Pick<PostgresResourceFeedOptions, 'maxStalenessMs'>;

class ResourceFeed implements PostgresResourceFeed {
  readonly #settings: FeedSettings;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  readonly #firstRead: Promise<void>;
  readonly #directories = new Set<FollowingDirectory>();
  /** The directory that was made last. */
  #latest: FollowingDirectory | undefined;
  #read: () => void = () => {};
  #rows: readonly ResourceRow[] | undefined;
  #generation: string | undefined;
  #freshAsOf: number | undefined;
  #fault: PostgresError | undefined;

  constructor(settings: FeedSettings) {
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

  status(): PostgresFeedStatus {
    return { rows: this.#rows?.length ?? 0, freshAsOf: this.#freshAsOf, fault: this.#fault?.code };
  }

  directory(options: FeedDirectoryOptions): FeedDirectory {
    const { maxStalenessMs, clock, onWarning } = this.#settings;
    const directory = new FollowingDirectory(
      { onWarning, ...options },
      {
        // One that was closed knows what was good then.
        lastGood: ([...this.#directories].at(-1) ?? this.#latest)?.accepted,
        freshAsOf: () => this.#freshAsOf,
        isStale: (asOf) => maxStalenessMs !== undefined && clock.monotonic() - asOf > maxStalenessMs,
        onClose: () => this.#directories.delete(directory),
      },
    );
    if (this.#rows !== undefined) directory.take(this.#rows);
    this.#directories.add(directory);
    this.#latest = directory;
    return directory;
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#running;
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
      const read = rows.filter(({ zone }) => zone !== null);
      for (const directory of this.#directories) directory.take(read);
      this.#rows = read;
      this.#generation = rows[0]?.generation;
    }
    this.#freshAsOf = asOf;
    this.#read();
    if (this.#fault === undefined) return;
    this.#fault = undefined;
    this.#settings.onWarning({ code: 'recovered', message: 'the resource directory is read from PostgreSQL again' });
  }

  #failed(cause: PostgresError): void {
    const before = this.#fault?.message;
    this.#fault = cause;
    if (before === cause.message) return;
    const stays = this.#rows === undefined ? 'none of its resources is known yet' : 'what was read stays in force';
    this.#settings.onWarning({
      code: 'unavailable',
      message: `the resource directory cannot be read, ${stays}: ${cause.message}`,
      cause,
    });
  }
}
