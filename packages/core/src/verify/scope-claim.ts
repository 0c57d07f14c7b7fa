import { type Denial, deny } from '../errors.js';
import { byteClass } from '../syntax/byte-class.js';
import { MAX_IDENTIFIER_LENGTH } from './claim-values.js';

/** Most scopes in one mandate. */
export const MAX_SCOPES = 1024;

const SCOPE_CHAR = byteClass((byte) => byte >= 0x21 && byte <= 0x7e && byte !== 0x22 && byte !== 0x5c);

/** Whether the value is one scope. @see RFC 6749 section 3.3 (scope-token) */
export function isScope(value: unknown): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.length > MAX_IDENTIFIER_LENGTH) return false;
  for (let i = 0; i < value.length; i++) if (SCOPE_CHAR[value.charCodeAt(i)] !== 1) return false;
  return true;
}

/**
 * The scopes of a claim: one text with single spaces between scopes, exact and with case. Absent or empty means none.
 * Where `allowList` is set an array of scopes will do too, as in the `scp` some servers write.
 */
export function scopesOf(claim: unknown, allowList: boolean): ReadonlySet<string> | Denial {
  if (claim === undefined || claim === '') return new Set();
  const list = typeof claim === 'string' ? claim.split(' ') : allowList && Array.isArray(claim) ? claim : undefined;
  if (list === undefined || list.length > MAX_SCOPES || !list.every(isScope)) {
    return deny('invalid_token', 'scope_invalid');
  }
  return new Set<string>(list);
}
