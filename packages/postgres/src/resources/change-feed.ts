import { pause } from '../pause.js';
import type { PostgresClient, PostgresPool, PostgresResult } from '../pool.js';
import { PostgresError, postgresError } from '../postgres-error.js';

/** What a feed is made with. */
export interface ChangeFeedOptions {
  readonly pool: PostgresPool;
  readonly channel: string;
  /** Looked for without news, ms: where notifications do not pass (a pooler), and that the connection is alive. */
  readonly pollMs: number;
  readonly timeoutMs: number;
  /** Something may have changed: read. `sure`: news came, or the connection is new. Throws what fails. */
  readonly onChange: (query: FeedQuery, sure: boolean) => Promise<void>;
  readonly onFault: (cause: PostgresError) => void;
}

/** One statement on the feed's own connection. */
export type FeedQuery = (text: string, values?: unknown[]) => Promise<PostgresResult>;

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5000;
/** News come in bursts. */
const SETTLE_MS = 20;

/** Listens on a connection of its own, until the signal is aborted. First it listens, then it reads: no change falls between. */
export async function followChanges(options: ChangeFeedOptions, signal: AbortSignal): Promise<void> {
  let waitMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    try {
      await listen(options, signal, () => {
        waitMs = FIRST_RETRY_MS;
      });
    } catch (cause) {
      if (signal.aborted) return;
      options.onFault(postgresError(cause));
      await pause(waitMs * (0.5 + Math.random() / 2), signal);
      waitMs = Math.min(waitMs * 2, MAX_RETRY_MS);
    }
  }
}

async function listen(options: ChangeFeedOptions, signal: AbortSignal, onRead: () => void): Promise<void> {
  const { pool, channel, pollMs, timeoutMs, onChange } = options;
  const client = await connect(pool, timeoutMs);
  const bell = new FeedBell(signal);
  const query: FeedQuery = (text, values) => within(timeoutMs, client.query(text, values));
  client.on('notification', bell.ring);
  client.on('error', bell.break);
  client.on('end', bell.break);
  try {
    await query(`LISTEN ${channel}`);
    for (let sure = true; !signal.aborted; sure = await bell.next(pollMs)) {
      if (bell.broken) throw new PostgresError('unreachable');
      if (sure) await pause(SETTLE_MS, signal);
      bell.rung = false;
      await onChange(query, sure);
      onRead();
    }
  } finally {
    client.release(true); // it listens: nobody else can use it
    client.removeListener('notification', bell.ring);
    client.removeListener('end', bell.break);
    bell.close();
  }
}

async function connect(pool: PostgresPool, timeoutMs: number): Promise<PostgresClient> {
  const connecting = pool.connect();
  try {
    return await within(timeoutMs, connecting);
  } catch (cause) {
    void connecting.then(
      (client) => client.release(),
      () => {}, // told already
    );
    throw cause;
  }
}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new PostgresError('timeout')), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

class FeedBell {
  rung = false;
  broken = false;
  readonly #signal: AbortSignal;
  #wake: () => void = () => {};
  readonly ring = (): void => {
    this.rung = true;
    this.#wake();
  };
  readonly break = (): void => {
    this.broken = true;
    this.#wake();
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.break);
  }

  /** Whether news came, before `pollMs` were over. */
  async next(pollMs: number): Promise<boolean> {
    if (!this.rung && !this.broken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pollMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = () => {};
    }
    return this.rung;
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.break);
  }
}
