import { allIn, alphanumericAnd, byteClass } from './byte-class.js';

const TOKEN_CHAR = alphanumericAnd("!#$%&'*+-.^_`|~");
const VALUE_BYTE = byteClass((byte) => byte === 0x09 || (byte >= 0x20 && byte !== 0x7f));
const VISIBLE_ASCII = byteClass((byte) => byte >= 0x21 && byte <= 0x7e);

/** Whether the text is a token: a method, a header name. @see RFC 9110 section 5.6.2 */
export function isToken(text: string): boolean {
  return text !== '' && allIn(text, TOKEN_CHAR);
}

/**
 * Whether the text (latin1) can be a header value: no control character but the tab, so no CR, LF or NUL that would
 * end the header early for whoever reads it next. @see RFC 9110 section 5.5
 */
export function isFieldValue(text: string): boolean {
  return allIn(text, VALUE_BYTE);
}

/** Whether the text is 1 to `maxLength` visible ASCII characters. */
export function isVisibleAscii(text: string, maxLength: number): boolean {
  return text !== '' && text.length <= maxLength && allIn(text, VISIBLE_ASCII);
}
