/** Identifiers that are allowed and that careless stores mix up, change or choke on. Pairwise different. */
export const HOSTILE_IDENTIFIERS: readonly string[] = Object.freeze([
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  ' ',
  ' leading',
  'leading',
  'a:b',
  'a|b',
  'a\\b',
  'a/b',
  'a%3Ab',
  'a*',
  '{a}',
  '["a"]',
  "'; DROP TABLE x; --",
  '$1',
  'Case',
  'case',
  '0',
  '00',
  '-0',
  'null',
  'undefined',
  // One letter in two spellings: what is compared must not be normalized.
  '\u00e9',
  'e\u0301',
  '\u{1f511}',
  '\u202e',
  '\ufeff',
  'x'.repeat(512),
  `${'x'.repeat(511)}y`,
  '\u{1f511}'.repeat(256),
]);

/** Pairs of (first, second) that are equal once they are joined by the separators stores like. */
export const AMBIGUOUS_PAIRS: readonly (readonly [string, string])[] = Object.freeze(
  [':', '|', '/', '\\', ' ', ',', '"', '.', '-', '%', '\u241f'].flatMap((separator): [string, string][] => [
    [`a${separator}b`, 'c'],
    ['a', `b${separator}c`],
  ]),
);
