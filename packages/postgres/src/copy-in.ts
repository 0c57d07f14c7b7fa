/** What is used of a `pg` connection: what `pg-copy-streams` uses of it. */
interface CopyConnection {
  query(text: string): void;
  sendCopyFromChunk(chunk: Uint8Array): void;
  endCopyFrom(): void;
}

/**
 * One `COPY ... FROM STDIN` whose rows are in memory, as `pg` takes statements that are not its own: it calls `submit` when
 * the connection is free, and the others as answers come.
 *
 * @see PostgreSQL, section 55.2.6
 */
export class CopyIn {
  /** Resolves to the number of rows; rejects with what the driver says. */
  readonly copied: Promise<number>;
  /** Set by the driver, where the pool has a `query_timeout`. */
  callback: ((cause: unknown) => void) | undefined;
  readonly #text: string;
  readonly #rows: Uint8Array;
  #count = 0;
  #resolve: (count: number) => void = () => {};
  #reject: (cause: unknown) => void = () => {};

  /** `rows` in PostgreSQL's text format; not changed before {@link copied} is settled. */
  constructor(text: string, rows: Uint8Array) {
    this.#text = text;
    this.#rows = rows;
    this.copied = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  submit(connection: unknown): void {
    (connection as CopyConnection).query(this.#text);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    connection.sendCopyFromChunk(this.#rows);
    connection.endCopyFrom();
  }

  /** `COPY 2000` */
  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#count = Number(text.slice(text.lastIndexOf(' ') + 1));
  }

  handleReadyForQuery(): void {
    this.callback?.(undefined);
    this.#resolve(this.#count);
  }

  handleError(cause: unknown): void {
    this.callback?.(cause);
    this.#reject(cause);
  }
}
