import { type Denial, deny } from '../errors.js';
import { type JsonObject, own } from './json-object.js';

/** How far an issuer's clock may be ahead in `iat` and `nbf`, seconds. `exp` has no such room. */
export const CLOCK_SKEW_SECONDS = 60;

/** Longest life of a mandate, `iat` to `exp`, seconds. */
export const MAX_LIFE_SECONDS = 24 * 60 * 60;

/** When a mandate was issued and when it ends, whole seconds since the epoch. */
export interface Lifetime {
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/**
 * Checks `exp`, `iat` and `nbf` at `nowMs`. A NumericDate may have a fraction (RFC 7519 section 2); what is kept is
 * rounded down, so that stores that count in whole seconds never let a mandate live longer.
 *
 * @see RFC 7519 sections 4.1.4 to 4.1.6
 */
export function lifetimeOf(claims: JsonObject, nowMs: number): Lifetime | Denial {
  const exp = own(claims, 'exp');
  const iat = own(claims, 'iat');
  const nbf = own(claims, 'nbf');
  if (!isNumericDate(exp)) return deny('invalid_token', exp === undefined ? 'exp_missing' : 'exp_invalid');
  if (!isNumericDate(iat)) return deny('invalid_token', iat === undefined ? 'iat_missing' : 'iat_invalid');
  const expiresAt = Math.floor(exp);
  const latestStartSeconds = nowMs / 1000 + CLOCK_SKEW_SECONDS;
  if (nowMs >= expiresAt * 1000) return deny('invalid_token', 'expired');
  if (iat > latestStartSeconds) return deny('invalid_token', 'issued_in_future');
  if (nbf !== undefined) {
    if (!isNumericDate(nbf)) return deny('invalid_token', 'nbf_invalid');
    if (nbf > latestStartSeconds) return deny('invalid_token', 'not_yet_valid');
  }
  if (exp <= iat || exp - iat > MAX_LIFE_SECONDS) return deny('invalid_token', 'life_out_of_bounds');
  return { issuedAt: Math.floor(iat), expiresAt };
}

// JSON knows no NaN, but 1e999 parses to Infinity.
function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}
