/** What is used of a `pg` result. */
export interface PostgresResult {
  // biome-ignore lint/suspicious/noExplicitAny: rows are what the statement says; each reader names its own columns
  readonly rows: any[];
  readonly rowCount: number | null;
}

/** What is used of a connection of a `pg` pool. */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<PostgresResult>;
  /** `true`: the connection is closed instead of being used again. */
  release(destroy?: boolean): void;
  on(event: 'error' | 'end' | 'notification', listener: () => void): unknown;
  removeListener(event: 'error' | 'end' | 'notification', listener: () => void): unknown;
}

/** What is used of a `pg` pool, version 8.11 or later. The caller makes it and ends it. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
}
