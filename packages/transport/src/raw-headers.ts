/**
 * The flat name, value list of a response as text: one char a byte (latin1), so that no byte is lost or reinterpreted.
 * Order, case and repetition stay as received.
 */
export function rawHeaders(list: readonly Buffer[]): string[] {
  const headers = new Array<string>(list.length);
  for (let i = 0; i < list.length; i++) headers[i] = list[i]!.toString('latin1');
  return headers;
}

/**
 * The value of `Content-Length` in a plan's flat list; `undefined` where there is none, `NaN` where it is repeated or no
 * decimal number.
 */
export function declaredLength(headers: readonly string[]): number | undefined {
  let length: number | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]!;
    if (name.length !== 14 || name.toLowerCase() !== 'content-length') continue;
    const value = headers[i + 1]!;
    length = length === undefined && /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  }
  return length;
}

/**
 * Whether a response names a transfer coding but a single `chunked`. Nothing else was offered (no `TE` is sent), and
 * as the field ends here, nobody after us could undo what it names.
 *
 * @see RFC 9112 section 6.1
 */
export function hasUnknownTransferCoding(headers: readonly string[]): boolean {
  let seen = false;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]!;
    if (name.length !== 17 || name.toLowerCase() !== 'transfer-encoding') continue;
    if (seen || headers[i + 1]!.trim().toLowerCase() !== 'chunked') return true;
    seen = true;
  }
  return false;
}
