import { nearest } from '../configuration/nearest.js';

/** The known name that was probably meant, if one begins so or is near enough. */
export function nearName(typed: string, known: readonly string[]): string | undefined {
  const begun = typed.length >= 2 ? known.find((name) => name.startsWith(typed)) : undefined;
  return begun ?? nearest(typed, known);
}
