/** What is used of a `pg` result. */
export interface PostgresResult {
  // biome-ignore lint/suspicious/noExplicitAny: rows are what the statement says; each reader names its own columns
  readonly rows: any[];
  readonly rowCount: number | null;
}

/** A statement that speaks to the connection itself: `pg` calls it when the connection is free. */
export interface PostgresSubmittable {
  submit(connection: unknown): void;
}

/** What is used of a connection of a `pg` pool. */
export interface PostgresClient {
  query<T extends PostgresSubmittable>(statement: T): T;
  query(text: string, values?: unknown[]): Promise<PostgresResult>;
  /** `true`: the connection is closed instead of being used again. */
  release(destroy?: boolean): void;
  on(event: 'error' | 'end' | 'notification', listener: () => void): unknown;
  removeListener(event: 'error' | 'end' | 'notification', listener: () => void): unknown;
}

/** What is used of a `pg` pool, version 8.11 or later, without `pipeline`. The caller makes it and ends it. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
}
