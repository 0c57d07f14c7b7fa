import { describe, expect, it } from 'vitest';
import { trimOptionalWhitespace } from './optional-whitespace.js';

describe('trimOptionalWhitespace', () => {
  it.each([
    ['', ''],
    [' \t ', ''],
    ['a', 'a'],
    [' \ta b\t ', 'a b'],
    ['\u00a0a\u00a0', '\u00a0a\u00a0'],
    ['\na\r', '\na\r'],
  ])('makes %j %j', (text, trimmed) => {
    expect(trimOptionalWhitespace(text)).toBe(trimmed);
  });

  it('looks at each character of a long gap once: the square of it would take this test hours', () => {
    const text = `a${' \t'.repeat(2_000_000)}b`;
    expect(trimOptionalWhitespace(text)).toBe(text);
  });
});
