const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
const DASH = 0x2d;

/**
 * Makes a writer of bytes as lower-case hex. The text is decoded in one piece: put together digit by digit it would
 * leave dozens of strings behind, on every request.
 *
 * @param count Bytes a text is made of.
 * @param dashesBefore Indexes of the bytes that a dash stands before.
 */
export function hexWriter(
  count: number,
  dashesBefore: readonly number[] = [],
): (bytes: Uint8Array, start?: number) => string {
  const positions = new Uint8Array(count);
  const codes = new Uint8Array(count * 2 + dashesBefore.length).fill(DASH);
  for (let index = 0; index < count; index++) {
    positions[index] = index * 2 + dashesBefore.filter((byte) => byte <= index).length;
  }
  const decoder = new TextDecoder('latin1');
  return (bytes, start = 0) => {
    for (let index = 0; index < count; index++) {
      const byte = bytes[start + index]!;
      const position = positions[index]!;
      codes[position] = DIGITS[byte >> 4]!;
      codes[position + 1] = DIGITS[byte & 15]!;
    }
    return decoder.decode(codes);
  };
}
