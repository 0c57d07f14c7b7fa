/** Not used in the last seconds of its life, ms: it would end on its way. */
const MARGIN_MS = 10_000;
/** Renewed at most so long before its end, ms. */
const LONGEST_AHEAD_MS = 300_000;

/** When a token is good, wall clock ms. */
export interface Usability {
  /** Attached until then. */
  readonly usableUntilMs: number;
  /** Renewed in the background from then on. */
  readonly refreshAtMs: number;
}

/**
 * A token is used until ten seconds (at most a tenth of its life) before its end, and renewed in the last fifth of it, at most five
 * minutes ahead. `random` (0 to 1) spreads the renewals of many processes over half of that time.
 */
export function usability(obtainedAtMs: number, expiresAtMs: number, random: number = Math.random()): Usability {
  const life = Math.max(0, expiresAtMs - obtainedAtMs);
  const margin = Math.min(MARGIN_MS, life / 10);
  const ahead = Math.min(LONGEST_AHEAD_MS, life / 5);
  return { usableUntilMs: expiresAtMs - margin, refreshAtMs: expiresAtMs - Math.max(margin, ahead * (1 - random / 2)) };
}
