/** The text without spaces and tabs around it. `trim()` would also take U+00A0, a byte like any other in a header. */
export function trimOptionalWhitespace(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}
