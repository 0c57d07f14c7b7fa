import { headerName } from '../forward/header-names.js';
import { isToken, isVisibleAscii } from '../syntax/header-syntax.js';
import { normalizedOrigins } from './origins.js';

const MAX_ID_LENGTH = 512;
const MAX_HEADER_NAME_LENGTH = 128;

/** The one header that callers' copies of are removed and that is still made for credentials. */
const AUTHORIZATION = 'authorization';

/** Passed on from the caller, and yet no place for a credential: framing, tracing, and what both ends negotiate with. */
const NOT_FOR_CREDENTIALS: ReadonlySet<string> = new Set(['via', 'accept', 'range', 'date', 'origin']);
const PREFIXES_NOT_FOR_CREDENTIALS = ['content-', 'sec-', 'accept-', 'if-'];

/**
 * Checks the id of a provider: 1 to 512 visible ASCII characters, `provider://billing`.
 *
 * @throws TypeError
 */
export function providerId(factory: string, id: unknown): string {
  if (typeof id !== 'string' || !isVisibleAscii(id, MAX_ID_LENGTH)) {
    throw new TypeError(`${factory}: id is 1 to ${MAX_ID_LENGTH} visible ASCII characters, such as provider://billing`);
  }
  return id;
}

/**
 * Checks and normalizes where a credential may go. `undefined` stays: loopback only, as whoever defines a resource checks.
 *
 * @throws TypeError for an empty list too, because nothing could ever use it.
 */
export function providerOrigins(
  factory: string,
  origins: readonly string[] | undefined,
): readonly string[] | undefined {
  if (origins === undefined) return undefined;
  const normalized = normalizedOrigins(origins);
  if (normalized.length === 0) throw new TypeError(`${factory}: origins is empty; name the upstream's origin`);
  return normalized;
}

/**
 * Checks the name of a header that carries a credential. What the gateway removes, sets or needs for framing, forwarding,
 * tracing and negotiation is refused, and cookies are: an upstream changes them by `Set-Cookie`, which a caller may see.
 *
 * @throws TypeError naming the header.
 */
export function credentialHeaderName(factory: string, name: unknown): string {
  if (typeof name !== 'string' || name.length > MAX_HEADER_NAME_LENGTH || !isToken(name)) {
    throw new TypeError(`${factory}: headerName is a header name of at most ${MAX_HEADER_NAME_LENGTH} characters`);
  }
  const { folded, request } = headerName(name);
  const taken = request !== 'pass' && name.toLowerCase() !== AUTHORIZATION;
  if (
    taken ||
    NOT_FOR_CREDENTIALS.has(folded) ||
    PREFIXES_NOT_FOR_CREDENTIALS.some((prefix) => folded.startsWith(prefix))
  ) {
    throw new TypeError(`${factory}: header ${name} cannot carry a credential; use Authorization or one of its own`);
  }
  return name;
}

/**
 * Checks an authentication scheme. @see RFC 9110 section 11.1
 *
 * @throws TypeError
 */
export function authenticationScheme(factory: string, scheme: unknown): string {
  if (typeof scheme !== 'string' || scheme.length > 64 || !isToken(scheme)) {
    throw new TypeError(`${factory}: scheme is a token such as Bearer`);
  }
  return scheme;
}
