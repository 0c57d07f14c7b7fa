/**
 * The class of the bytes (0 to 255) that `test` accepts: a table of ones and zeros, because a lookup per character is
 * all the hot path can afford.
 */
export function byteClass(test: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (test(byte) ? 1 : 0));
}

function isAlphanumeric(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

/** The class of letters, digits and the characters of `more`. */
export function alphanumericAnd(more: string): Uint8Array {
  return byteClass((byte) => isAlphanumeric(byte) || more.includes(String.fromCharCode(byte)));
}

/** Whether every character is in the class; true for the empty text. A character above 0xFF is in no class. */
export function allIn(text: string, bytes: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[text.charCodeAt(i)] !== 1) return false;
  return true;
}
