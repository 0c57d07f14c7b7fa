/**
 * A row as `COPY` reads it in text format, its line feed included.
 *
 * @see PostgreSQL, COPY, "Text Format"
 */
export function copyRow(values: readonly (string | number | null)[]): string {
  let row = '';
  for (const value of values) {
    if (row !== '') row += '\t';
    if (value === null) row += '\\N';
    else if (typeof value === 'number') row += value;
    else row += SPECIAL.test(value) ? value.replace(EVERY_SPECIAL, (character) => ESCAPED[character]!) : value;
  }
  return `${row}\n`;
}

/** The values of a row that {@link copyRow} has made, its line feed left out; numbers come back as text. */
export function copiedValues(row: string): (string | null)[] {
  return row
    .split('\t')
    .map((field) => (field === '\\N' ? null : field.replace(EVERY_ESCAPE, (_, character) => MEANT[character]!)));
}

const SPECIAL = /[\\\t\n\r]/;
const EVERY_SPECIAL = /[\\\t\n\r]/g;
const EVERY_ESCAPE = /\\([\\tnr])/g;
const ESCAPED: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
const MEANT: Readonly<Record<string, string>> = { '\\': '\\', t: '\t', n: '\n', r: '\r' };
