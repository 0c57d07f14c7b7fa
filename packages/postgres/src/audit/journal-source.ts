/** One line of a journal. */
export interface SourceEntry {
  /** Id of its chain. */
  readonly chain: string;
  readonly seq: number;
  /** Hex. */
  readonly hash: string;
  /** What the line says, parsed: a record, or an event of the journal itself. */
  readonly record: { readonly id: string; readonly type: string; readonly time: string };
  /** The line as it stands, without line feed. */
  readonly line: string;
}

/** A signed head. */
export interface SourceHead {
  readonly chain: string;
  readonly seq: number;
  readonly hash: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly signature: string;
}

/** A line that cannot be parsed: as it stands. `seq` is 0 where not even that can be read. */
export interface DamagedLine {
  readonly chain: string;
  readonly seq: number;
  readonly line: string;
}

/** How a journal is read: see `EntriesOptions` of `@caracal/file`. */
export interface SourceOptions {
  readonly from: 'start' | { readonly chain: string; readonly seq: number };
  readonly follow: boolean;
  readonly gatherMs: number;
  readonly signal: AbortSignal;
  readonly onDamaged: (line: DamagedLine) => void;
}

/** What evidence is shipped from: `@caracal/file`'s journal, or a reader of one. */
export interface JournalSource {
  entries(options: SourceOptions): AsyncIterable<SourceEntry>;
  heads(): Promise<readonly SourceHead[]>;
}
