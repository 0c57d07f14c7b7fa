import type { ChainPosition, TornTail } from './journal-event.js';

/** The first thing that is not as it was written. */
export interface VerificationFailure {
  readonly reason:
    | LineFailure
    | 'segment_missing'
    | 'segment_damaged'
    | 'segment_not_continued'
    | 'tail_changed'
    | 'removed_without_record'
    | 'head_invalid'
    | 'head_mismatch'
    | 'records_cut'
    | 'chain_missing';
  /** For people. */
  readonly message: string;
  /** File name of the segment (or of the heads). */
  readonly file: string | undefined;
  /** From 1. */
  readonly line: number | undefined;
  readonly chain: string | undefined;
  /** The sequence number that the first bad record has or should have. */
  readonly seq: number | undefined;
}

type LineFailure = 'malformed' | 'wrong_seq' | 'wrong_hash';

/** A chain began behind another one. */
export interface Recovery {
  readonly chain: string;
  readonly time: string;
  readonly torn: readonly TornTail[];
}

/** What verification found, proved, and could not prove. */
export interface VerificationReport {
  readonly ok: boolean;
  /** `undefined` exactly if `ok`. */
  readonly failure: VerificationFailure | undefined;
  /** Lines verified, the journal's own events included. */
  readonly records: number;
  readonly chains: number;
  readonly segments: number;
  readonly bytes: number;
  /** The last verified record. */
  readonly last: ChainPosition | undefined;
  readonly heads: {
    /** Heads beside the records and heads given from elsewhere. */
    readonly local: number;
    readonly outside: number;
    /** Given from elsewhere, of chains that retention has removed: nothing to compare them with. */
    readonly ofRemovedChains: number;
  };
  /** Last records that no head at all covers. */
  readonly uncovered: number;
  /** Last records that no head from elsewhere covers: those could be cut off without a trace. */
  readonly uncoveredOutside: number;
  /** Interrupted writes that a later chain has named. */
  readonly recoveries: readonly Recovery[];
  /** An interrupted write at the very end, which the next start will name; also what a running process is writing. */
  readonly tornEnd: TornTail | undefined;
  /** Records up to here were removed by retention. */
  readonly removedThrough: ChainPosition | undefined;
  readonly proved: readonly string[];
  readonly notProved: readonly string[];
}
