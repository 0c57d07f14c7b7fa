/**
 * What can take over a terminal or show a line other than it is: control characters (C0, DEL, C1), the controls of
 * bidirectional text, characters that are not seen at all, and the separators some programs break lines at.
 *
 * @see Unicode Technical Report 36, section 3 (bidirectional spoofing)
 */
const MISLEADING = /[\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gu;

/** The text with control, bidirectional and invisible characters written as `\uXXXX`: one line, and what is seen is what is there. */
export function escapeForTerminal(text: string): string {
  return text.toWellFormed().replace(MISLEADING, escaped);
}

/**
 * JSON on one line in which control, bidirectional and invisible characters stand as escapes: safe to look at, and the same value once
 * it is parsed.
 *
 * @throws TypeError for what JSON cannot hold.
 */
export function jsonLine(value: unknown): string {
  const json = JSON.stringify(value);
  if (json === undefined) throw new TypeError('jsonLine: there is no JSON for this value');
  return json.replace(MISLEADING, escaped);
}

function escaped(character: string): string {
  let text = '';
  for (let i = 0; i < character.length; i++) text += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return text;
}
