/**
 * An array as PostgreSQL reads it: `{"a","b",NULL}`. Quoted by hand, because the driver looks at every element twice.
 *
 * @see PostgreSQL, section 8.15.6
 */
export function arrayLiteral(values: readonly (string | number | null)[]): string {
  let text = '';
  for (const value of values) {
    text += text === '' ? '{' : ',';
    if (value === null) text += 'NULL';
    else if (typeof value === 'number') text += value;
    else text += SPECIAL.test(value) ? `"${value.replace(EVERY_SPECIAL, '\\$&')}"` : `"${value}"`;
  }
  return text === '' ? '{}' : `${text}}`;
}

const SPECIAL = /["\\]/;
const EVERY_SPECIAL = /["\\]/g;
