import { type Denial, deny } from '../errors.js';

/** Longest mandate that is looked at, characters. */
export const MAX_TOKEN_LENGTH = 8192;

const SCHEME = 'bearer';
const SPACE = 0x20;
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * The token of an `Authorization` value: its scheme and length are checked, its characters are not, so that a mandate
 * seen before costs no second look at them. No value, another scheme or no token at all is `missing_token`.
 *
 * @see RFC 9110 section 11.1 (schemes compare without case), RFC 9110 section 11.4 (one or more spaces)
 */
export function bearerToken(authorization: string | undefined): string | Denial {
  if (authorization === undefined) return deny('missing_token', 'authorization_absent');
  for (let i = 0; i < SCHEME.length; i++) {
    // NaN past the end of the text becomes 0x20, which is no letter.
    if ((authorization.charCodeAt(i) | 0x20) !== SCHEME.charCodeAt(i)) return deny('missing_token', 'other_scheme');
  }
  let start = SCHEME.length;
  while (authorization.charCodeAt(start) === SPACE) start++;
  if (start === authorization.length) return deny('missing_token', 'token_absent');
  if (start === SCHEME.length) return deny('missing_token', 'other_scheme');
  if (authorization.length - start > MAX_TOKEN_LENGTH) return deny('invalid_token', 'token_too_long');
  return authorization.slice(start);
}

/** Whether the text is a `b64token`. @see RFC 6750 section 2.1 */
export function isB64Token(text: string): boolean {
  return B64TOKEN.test(text);
}

/**
 * The bearer token of an `Authorization` value: `missing_token` where there is none, `invalid_token` where it is not a
 * `b64token` of at most {@link MAX_TOKEN_LENGTH} characters.
 */
export function readBearer(authorization: string | undefined): string | Denial {
  const token = bearerToken(authorization);
  if (typeof token !== 'string') return token;
  return isB64Token(token) ? token : deny('invalid_token', 'token_characters');
}
