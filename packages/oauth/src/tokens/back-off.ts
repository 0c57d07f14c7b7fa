import type { OAuthFault } from '../oauth-fault.js';

/** First wait after a failure, ms; it doubles with each that follows. */
const FIRST_MS = 1_000;
/** Longest wait, ms. */
const LONGEST_MS = 60_000;

/** A failure that is remembered: nobody asks again before its time. */
export interface Failure {
  readonly fault: OAuthFault;
  /** Monotonic, ms. */
  readonly untilMs: number;
  readonly count: number;
}

/** Remembers one more failure. `random`: 0 to 1, so that processes do not come back together. */
export function failureAfter(
  before: Failure | undefined,
  fault: OAuthFault,
  nowMs: number,
  random: number = Math.random(),
): Failure {
  const count = (before?.count ?? 0) + 1;
  const doubled = Math.min(FIRST_MS * 2 ** (count - 1), LONGEST_MS);
  const waitMs = Math.max(doubled * (0.75 + random / 2), fault.retryAfterMs ?? 0);
  return { fault, untilMs: nowMs + waitMs, count };
}
