import { allIn, alphanumericAnd } from './byte-class.js';

const PERCENT = 0x25;
const UNRESERVED = alphanumericAnd('-._~');

/** Decodes every well-formed `%XX` once, each to the one char of that byte; what is not well-formed stays. */
export function decodeEscapes(text: string): string {
  return mapEscapes(text, String.fromCharCode);
}

/**
 * Decodes escaped unreserved characters once and writes the other escapes in upper case, so that two spellings of one
 * segment compare equal. @see RFC 3986 section 6.2.2
 */
export function normalizeEscapes(text: string): string {
  return mapEscapes(text, (byte) => {
    const char = String.fromCharCode(byte);
    return allIn(char, UNRESERVED) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

/** The byte that `%XX` at this index stands for, or -1 where there is no well-formed escape. */
export function escapedByte(text: string, index: number): number {
  if (text.charCodeAt(index) !== PERCENT) return -1;
  const high = hexDigit(text.charCodeAt(index + 1));
  const low = hexDigit(text.charCodeAt(index + 2));
  return high === -1 || low === -1 ? -1 : high * 16 + low;
}

// NaN, the code past the end, compares false with everything and so is no digit.
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function mapEscapes(text: string, spell: (byte: number) => string): string {
  let at = text.indexOf('%');
  if (at === -1) return text;
  let mapped = '';
  let copied = 0;
  while (at !== -1) {
    const byte = escapedByte(text, at);
    if (byte === -1) {
      at = text.indexOf('%', at + 1);
      continue;
    }
    mapped += text.slice(copied, at) + spell(byte);
    copied = at + 3;
    at = text.indexOf('%', copied);
  }
  return mapped + text.slice(copied);
}
