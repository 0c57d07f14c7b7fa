import type { Awaitable } from '../pipeline.js';

/** The first use of a single-use mandate, named by claims and never by token text (a signature has several spellings). */
export interface MandateUse {
  readonly zoneId: string;
  readonly issuer: string;
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  /** Seconds since the epoch: remember it at least until then. */
  readonly expiresAt: number;
}

/** `before_store`: issued before this store's memory begins, so nobody can know. Refused. */
export type ReplayVerdict = 'first' | 'replayed' | 'before_store';

/** Port: is this the first use? Atomic: of any number of concurrent calls with one `jti`, exactly one is told `first`. */
export interface ReplayStore {
  use(use: MandateUse): Awaitable<ReplayVerdict>;
}
