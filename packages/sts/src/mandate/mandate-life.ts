import type { MandateClaims, MandateUse } from './mandate-claims.js';

/** Life of a mandate where none is asked for, s. */
export const DEFAULT_TTL_SECONDS = 900;
/** Longest life of a mandate of each use, s. */
export const MAX_TTL_SECONDS: Readonly<Record<MandateUse, number>> = Object.freeze({
  session: 3_600,
  gateway: 900,
  resource: 900,
});
/** Longest life of any mandate, s. */
export const LONGEST_TTL_SECONDS = 3_600;

/** When a mandate begins and ends, whole seconds since the epoch. */
export interface MandateLife {
  readonly iat: number;
  readonly exp: number;
}

/** The life that was asked for, cut to what its use allows and to what is left of the subject's; `undefined` if nothing is. */
export function mandateLife(
  use: MandateUse,
  ttlSeconds: number | undefined,
  subject: MandateClaims | undefined,
  nowMs: number,
): MandateLife | undefined {
  const iat = Math.floor(nowMs / 1000);
  const exp = iat + Math.min(ttlSeconds ?? DEFAULT_TTL_SECONDS, MAX_TTL_SECONDS[use]);
  const end = subject === undefined ? exp : Math.min(exp, Math.floor(subject.exp));
  return end > iat ? { iat, exp: end } : undefined;
}
