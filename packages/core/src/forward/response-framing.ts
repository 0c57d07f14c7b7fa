import { trimOptionalWhitespace } from './optional-whitespace.js';

/** What an upstream's answer says of its own length. */
export interface ResponseFraming {
  /** Every `Content-Length` value, joined. */
  length: string | undefined;
  /** It came with a `Transfer-Encoding`. */
  chunked: boolean;
}

/** Adds one framing header to what is known. */
export function readFraming(
  framing: ResponseFraming,
  rule: 'content-length' | 'transfer-encoding',
  value: string,
): void {
  if (rule === 'transfer-encoding') framing.chunked = true;
  else framing.length = framing.length === undefined ? value : `${framing.length},${value}`;
}

/**
 * The one `Content-Length` to pass on; `undefined` where there is none, or none to trust: values that differ or are no
 * numbers, a transfer coding beside it, a status that has no body. Two readers that choose differently among them
 * would take the rest of one answer for the next.
 * @see RFC 9112 section 6.3, RFC 9110 section 8.6
 */
export function declaredLength({ length, chunked }: ResponseFraming, status: number): string | undefined {
  if (length === undefined || chunked || status < 200 || status === 204) return undefined;
  if (isLength(length)) return length;
  const [first, ...others] = length.split(',').map(trimOptionalWhitespace);
  return isLength(first!) && others.every((other) => other === first) ? first : undefined;
}

function isLength(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}
