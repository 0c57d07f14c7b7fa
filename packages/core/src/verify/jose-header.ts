import { type Denial, deny } from '../errors.js';
import { type JsonObject, own } from './json-object.js';
import type { SignatureAlgorithm } from './signature.js';

/** Longest `kid`, characters. */
export const MAX_KID_LENGTH = 256;

/** What an issuer's mandates may say in their header. */
export interface HeaderRules {
  readonly algorithms: ReadonlySet<string>;
  /** Media types as {@link normalizedType} leaves them. */
  readonly types: ReadonlySet<string>;
}

/** What a header chooses: one key of the issuer's, and the algorithm that key must serve. */
export interface KeyChoice {
  readonly alg: SignatureAlgorithm;
  readonly kid: string;
}

/**
 * Checks a JOSE header against what its issuer may use. `jku`, `x5u`, `jwk` and `x5c` are never read: a key that comes
 * with the token proves nothing, and a URL in it is a request forged through us.
 *
 * @see RFC 8725 sections 3.1, 3.10 and 3.11
 */
export function checkHeader(header: JsonObject, rules: HeaderRules): KeyChoice | Denial {
  const alg = own(header, 'alg');
  if (typeof alg !== 'string' || !rules.algorithms.has(alg)) return deny('invalid_token', 'alg_not_allowed');
  const kid = own(header, 'kid');
  if (!isKid(kid)) return deny('invalid_token', 'kid_invalid');
  const typ = own(header, 'typ');
  if (typeof typ !== 'string' || !rules.types.has(normalizedType(typ))) return deny('invalid_token', 'typ_not_allowed');
  // No extension is understood here, so whatever is critical is unknown (RFC 7515 section 4.1.11). `b64` must be listed
  // there (RFC 7797 section 6); one that is not would have other readers verify other bytes.
  if (own(header, 'crit') !== undefined) return deny('invalid_token', 'crit_unknown');
  if (own(header, 'b64') !== undefined) return deny('invalid_token', 'b64_not_allowed');
  return { alg: alg as SignatureAlgorithm, kid };
}

/** Whether the value can be a `kid`: a string of 1 to {@link MAX_KID_LENGTH} characters. */
export function isKid(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_KID_LENGTH;
}

/** A `typ` in the form types compare in: lower case, without `application/`. @see RFC 7515 section 4.1.9 */
export function normalizedType(typ: string): string {
  const lower = typ.toLowerCase();
  return lower.startsWith('application/') ? lower.slice('application/'.length) : lower;
}
