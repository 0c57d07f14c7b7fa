/** A declared operation, compiled. */
export interface Operation {
  readonly method: string;
  readonly template: string;
  readonly name: string | undefined;
  readonly scopes: readonly string[];
}

/** The declared operations of one resource. */
export interface OperationTable {
  readonly size: number;
  /** Methods that occur, upper case as declared. */
  readonly methods: ReadonlySet<string>;
  /** The most specific operation for this method and raw path (no query), or `undefined`. HEAD falls back to GET's. */
  match(method: string, path: string): Operation | undefined;
}
