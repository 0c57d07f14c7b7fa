import { allIn, byteClass } from '../syntax/byte-class.js';
import { decodeEscapes, escapedByte } from '../syntax/percent.js';

const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const DOT = 0x2e;
const PERCENT = 0x25;
const SEMICOLON = 0x3b;

const PATH_BYTE = byteClass((byte) => byte >= 0x21 && byte <= 0x7e && !'\\#<>"?'.includes(String.fromCharCode(byte)));
const QUERY_BYTE = byteClass((byte) => byte >= 0x21 && byte !== 0x23);

/**
 * Why a raw path (without query) is not accepted, or `undefined`.
 *
 * Accepted is origin-form alone, of visible ASCII without `\ # < > "`, every `%` with two hex digits and no `%00`, and
 * without a segment that is `.` or `..` (up to its `;`), raw or after decoding once or twice: an upstream, or a proxy
 * before it, that decodes and folds such a segment would serve another path than the one that was authorized.
 *
 * @see RFC 9112 section 3.2.1, RFC 3986 sections 3.3 and 5.2.4
 */
export function checkPath(path: string): string | undefined {
  if (path.charCodeAt(0) !== SLASH) return 'target_form';
  let escaped = false;
  let dotted = false;
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (PATH_BYTE[code] !== 1) return 'path_byte';
    if (code === DOT) dotted = true;
    else if (code === PERCENT) {
      const byte = escapedByte(path, i);
      if (byte === -1) return 'path_escape';
      if (byte === 0) return 'path_nul';
      escaped = true;
    }
  }
  // Decoding only ever adds dots and separators, so a dot segment of the raw or once decoded path is also one of the
  // twice decoded path, and that one alone has to be looked at.
  if (escaped) return hasDotSegment(decodeEscapes(decodeEscapes(path))) ? 'path_dot_segment' : undefined;
  return dotted && hasDotSegment(path) ? 'path_dot_segment' : undefined;
}

/** Why a raw query (with its `?`, or empty) is not accepted, or `undefined`. What it means is the upstream's alone. */
export function checkQuery(query: string): string | undefined {
  return allIn(query, QUERY_BYTE) ? undefined : 'query_byte';
}

function hasDotSegment(path: string): boolean {
  for (let i = 0; i < path.length; i++) {
    if (path.charCodeAt(i) !== DOT || !startsSegment(path, i)) continue;
    const next = path.charCodeAt(i + 1) === DOT ? i + 2 : i + 1;
    if (endsSegment(path, next)) return true;
  }
  return false;
}

function startsSegment(path: string, index: number): boolean {
  const before = path.charCodeAt(index - 1);
  return before === SLASH || before === BACKSLASH;
}

function endsSegment(path: string, index: number): boolean {
  if (index === path.length) return true;
  const code = path.charCodeAt(index);
  return code === SLASH || code === BACKSLASH || code === SEMICOLON;
}
