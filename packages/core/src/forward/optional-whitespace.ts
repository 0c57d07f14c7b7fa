/**
 * The text without spaces and tabs around it. `trim()` would also take U+00A0, a byte like any other in a header. No
 * expression either: `[ \t]+$` takes the square of the time for a long gap within the text, and anybody can send one.
 */
export function trimOptionalWhitespace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhitespace(text, start)) start++;
  while (end > start && isWhitespace(text, end - 1)) end--;
  return text.slice(start, end);
}

function isWhitespace(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code === 0x20 || code === 0x09;
}
