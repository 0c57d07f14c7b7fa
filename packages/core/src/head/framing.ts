import { allIn, byteClass } from '../syntax/byte-class.js';

const DIGIT = byteClass((byte) => byte >= 0x30 && byte <= 0x39);

/** So many digits are always an exact number; a longer length is no length anybody sends. */
const MAX_LENGTH_DIGITS = 15;

/**
 * Why the framing of a request leaves doubt about where it ends, or `undefined`. Accepted is one `Content-Length` of
 * digits, or exactly `chunked` on HTTP/1.1, or neither. Doubt here is request smuggling: what one hop takes for a body
 * another takes for the next request.
 *
 * @see RFC 9112 sections 6.1 and 6.3
 */
export function checkFraming(
  contentLength: string | undefined,
  transferEncoding: string | undefined,
  httpVersion: string,
): string | undefined {
  if (transferEncoding !== undefined) {
    if (contentLength !== undefined) return 'length_and_transfer_encoding';
    // RFC 9112 section 6.1: on HTTP/1.0 it is faulty framing; RFC 9113 section 8.2.2: HTTP/2 has none.
    if (httpVersion !== '1.1') return 'transfer_encoding_version';
    return transferEncoding.toLowerCase() === 'chunked' ? undefined : 'transfer_encoding_unknown';
  }
  if (contentLength === undefined) return undefined;
  const valid = contentLength !== '' && contentLength.length <= MAX_LENGTH_DIGITS && allIn(contentLength, DIGIT);
  return valid ? undefined : 'content_length_malformed';
}
