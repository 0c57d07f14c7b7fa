/**
 * The flat name, value list of a response as text: one char a byte (latin1), so that no byte is lost or reinterpreted.
 * Order, case and repetition stay as received.
 */
export function rawHeaders(list: readonly Buffer[]): string[] {
  const headers = new Array<string>(list.length);
  for (let i = 0; i < list.length; i++) headers[i] = list[i]!.latin1Slice();
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
