import { type Denial, deny } from '../errors.js';
import { allIn, byteClass } from '../syntax/byte-class.js';
import type { Credential } from './provider.js';

/** Longest credential put into a header or query, characters; upstreams refuse longer header lines. */
export const MAX_CREDENTIAL_LENGTH = 8_192;

const PRINTABLE_ASCII = byteClass((byte) => byte >= 0x20 && byte <= 0x7e);
const VISIBLE_ASCII = byteClass((byte) => byte >= 0x21 && byte <= 0x7e);
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** A credential in one header. Frozen. `secrets`: what must not come back from the upstream. */
export function headerCredential(name: string, value: string, secrets: readonly string[]): Credential {
  return Object.freeze({
    headers: Object.freeze([name, value]),
    query: undefined,
    secrets: Object.freeze(secrets),
    connection: undefined,
  });
}

/** A credential in one query parameter; name and value are percent-encoded here. Frozen. */
export function queryCredential(name: string, value: string): Credential {
  return Object.freeze({
    headers: Object.freeze([]),
    query: Object.freeze({ name: percentEncoded(name), value: percentEncoded(value) }),
    secrets: Object.freeze([value]),
    connection: undefined,
  });
}

/** Escapes everything but the unreserved characters of RFC 3986 section 2.3, as UTF-8. The text is well-formed. */
export function percentEncoded(text: string): string {
  // What encodeURIComponent leaves as it is, some upstreams' parsers and signers do not.
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/**
 * Why a secret cannot be sent as a credential at all, or `undefined`. A line break in it would begin another header; a
 * value that was meant to be trimmed is somebody's mistake, and not ours to guess.
 */
export function unusableText(secret: string): Denial | undefined {
  if (secret === '') return deny('credential_unavailable', 'secret_empty');
  if (secret.length > MAX_CREDENTIAL_LENGTH) return deny('credential_unavailable', 'secret_too_long');
  if (CONTROL.test(secret)) return deny('credential_unavailable', 'secret_has_control_characters');
  return secret.isWellFormed() ? undefined : deny('credential_unavailable', 'secret_not_well_formed');
}

/** Why a secret cannot be (the end of) a header value, or `undefined`: printable ASCII without white space at an end. */
export function unusableHeaderValue(secret: string): Denial | undefined {
  const unusable = unusableText(secret);
  if (unusable !== undefined) return unusable;
  // Beyond ASCII there is no agreement on what the bytes are; white space at an end is cut off by whoever reads it.
  if (allIn(secret, PRINTABLE_ASCII) && secret.trim() === secret) return undefined;
  return deny('credential_unavailable', 'secret_not_header_value');
}

/** Why a secret cannot follow a scheme such as `Bearer`, or `undefined`: visible ASCII. @see RFC 6750 section 2.1 */
export function unusableToken(secret: string): Denial | undefined {
  const unusable = unusableText(secret);
  if (unusable !== undefined) return unusable;
  // A space means that the scheme was pasted along with the token.
  return allIn(secret, VISIBLE_ASCII) ? undefined : deny('credential_unavailable', 'secret_not_token');
}
