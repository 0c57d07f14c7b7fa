/** Text that stands in JSON as it is: visible ASCII and space, without quote and backslash. */
const PLAIN = /^[ !#-[\]-~]*$/;
/** DEL, C1 controls, line separators and bidirectional controls: legal in JSON, yet they move what a terminal shows. */
const DECEPTIVE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * A JSON string. Control and bidirectional characters and lone surrogates are escaped, so that a journal shown as it is
 * in a terminal cannot deceive its reader.
 */
export function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text).replace(DECEPTIVE, escapeOf);
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
