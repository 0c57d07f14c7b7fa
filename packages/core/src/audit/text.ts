/** Longest text a record holds, in UTF-16 units. */
export const MAX_TEXT = 512;
/** Longest path a record holds, in UTF-16 units. */
export const MAX_PATH = 2048;

/**
 * Text as a record may hold it: bounded, without NUL and without lone surrogates, which no store accepts (PostgreSQL
 * refuses both) and which must not cost a batch of evidence.
 */
export function evidenceText(text: string, maxLength: number = MAX_TEXT): string {
  const bounded = text.length > maxLength ? text.slice(0, maxLength) : text;
  const wellFormed = bounded.isWellFormed() ? bounded : bounded.toWellFormed();
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', '\uFFFD') : wellFormed;
}
