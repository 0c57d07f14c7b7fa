import { CopyIn } from './copy-in.js';
import type { PostgresClient, PostgresPool, PostgresResult } from './pool.js';
import { PostgresError, postgresError } from './postgres-error.js';

/** Statements that may wait for a connection at once, for each store: a pool's own queue has no end. */
const MAX_WAITING = 256;

/** A connection while it is lent. */
export interface Connected {
  query(text: string, values?: unknown[]): Promise<PostgresResult>;
  /** `COPY ... FROM STDIN` of rows in text format. Answers how many there were. */
  copy(text: string, rows: Uint8Array): Promise<number>;
}

/** Lends connections of a pool: each use has a deadline, and only so many wait. */
export class Connections {
  readonly #pool: PostgresPool;
  #uses = 0;

  constructor(pool: PostgresPool) {
    this.#pool = pool;
  }

  /**
   * Runs `work` on one connection. When the deadline passes, the connection is closed, whatever it is doing: a server that
   * is stopped, or a network that swallows everything, costs a caller no more than that.
   *
   * @throws PostgresError, whatever failed.
   */
  async use<T>(timeoutMs: number, work: (connected: Connected) => Promise<T>): Promise<T> {
    if (this.#uses >= MAX_WAITING) throw new PostgresError('busy');
    this.#uses++;
    const deadline = new Deadline(timeoutMs);
    try {
      const client = await deadline.race(this.#connect(deadline));
      return await lend(client, deadline, work);
    } catch (cause) {
      throw postgresError(cause);
    } finally {
      deadline.end();
      this.#uses--;
    }
  }

  /** In a transaction. `local`: settings for it, such as `statement_timeout`. */
  async transaction<T>(timeoutMs: number, work: (connected: Connected) => Promise<T>): Promise<T> {
    return await this.use(timeoutMs, async (connected) => {
      // The server gives up by itself too: nobody else ends what a closed connection has begun. And a COMMIT that was
      // answered means stored, whatever the database's own default is: what comes after it relies on that.
      await connected.query(
        `BEGIN; SET LOCAL statement_timeout = ${timeoutMs}; SET LOCAL lock_timeout = ${timeoutMs};
         SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') IN ('off', 'local')`,
      );
      try {
        const result = await work(connected);
        await connected.query('COMMIT');
        return result;
      } catch (cause) {
        await connected.query('ROLLBACK').catch(() => {}); // a broken connection has rolled back by itself
        throw cause;
      }
    });
  }

  /** One statement. */
  async query(timeoutMs: number, text: string, values?: unknown[]): Promise<PostgresResult> {
    return await this.use(timeoutMs, (connected) => connected.query(text, values));
  }

  async #connect(deadline: Deadline): Promise<PostgresClient> {
    const client = await this.#pool.connect();
    // Nobody waits for it any more: the pool gets it back as it is.
    if (deadline.passed) client.release();
    return client;
  }
}

async function lend<T>(
  client: PostgresClient,
  deadline: Deadline,
  work: (connected: Connected) => Promise<T>,
): Promise<T> {
  // A connection that breaks says so by an event as well, and an error without a listener ends the process.
  let broken = false;
  const onBroken = () => {
    broken = true;
  };
  client.on('error', onBroken);
  let healthy = false;
  try {
    const connected: Connected = {
      query: (text, values) => client.query(text, values),
      copy: (text, rows) => client.query(new CopyIn(text, rows)).copied,
    };
    const result = await deadline.race(work(connected));
    healthy = true;
    return result;
  } catch (cause) {
    healthy = isStatementError(cause);
    throw cause;
  } finally {
    client.release(!healthy || broken);
    client.removeListener('error', onBroken);
  }
}

// The server refused a statement and the connection is as good as before.
function isStatementError(cause: unknown): boolean {
  return (cause as { severity?: unknown } | undefined)?.severity === 'ERROR';
}

class Deadline {
  readonly #expired: Promise<never>;
  readonly #timer: NodeJS.Timeout;
  passed = false;

  constructor(timeoutMs: number) {
    let expire: (cause: PostgresError) => void = () => {};
    this.#expired = new Promise((_, reject) => {
      expire = reject;
    });
    this.#expired.catch(() => {}); // nobody may be racing when it expires
    this.#timer = setTimeout(() => {
      this.passed = true;
      expire(new PostgresError('timeout'));
    }, timeoutMs);
  }

  async race<T>(work: Promise<T>): Promise<T> {
    work.catch(() => {}); // what comes after the deadline is nobody's
    return await Promise.race([work, this.#expired]);
  }

  end(): void {
    this.passed = true;
    clearTimeout(this.#timer);
  }
}
