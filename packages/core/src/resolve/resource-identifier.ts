import { allIn, alphanumericAnd, byteClass } from '../syntax/byte-class.js';

/** Longest resource identifier, characters. */
const MAX_RESOURCE_IDENTIFIER_LENGTH = 512;

const LETTER = byteClass((byte) => (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a));
const SCHEME_CHAR = alphanumericAnd('+-.');
const URI_CHAR = alphanumericAnd("-._~:/?[]@!$&'()*+;=%");

/**
 * Whether the text can identify a resource: an absolute URI of 1 to 512 characters, without a fragment (RFC 8707
 * section 2) and without a comma, which would make one value out of two joined headers.
 *
 * @see RFC 3986 section 4.3
 */
export function isResourceIdentifier(text: string): boolean {
  if (text.length > MAX_RESOURCE_IDENTIFIER_LENGTH) return false;
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1) return false;
  if (LETTER[text.charCodeAt(0)] !== 1 || !allIn(text.slice(0, colon), SCHEME_CHAR)) return false;
  return allIn(text, URI_CHAR);
}
