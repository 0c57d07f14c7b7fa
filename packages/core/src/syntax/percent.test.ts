import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEscapes, escapedByte, normalizeEscapes } from './percent.js';

describe('decodeEscapes', () => {
  it('decodes once, and leaves what is not well-formed', () => {
    expect(decodeEscapes('a%2Fb%2fc')).toBe('a/b/c');
    expect(decodeEscapes('%252e')).toBe('%2e');
    expect(decodeEscapes('%%41%zz%4')).toBe('%A%zz%4');
    expect(decodeEscapes('%C3%A9')).toBe('\xc3\xa9');
  });

  it('decodes as decodeURIComponent does, for ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
        const escaped = encodeURIComponent(text);
        expect(decodeEscapes(escaped)).toBe(decodeURIComponent(escaped));
      }),
    );
  });
});

describe('normalizeEscapes', () => {
  it('decodes unreserved characters alone, and writes the rest in upper case', () => {
    expect(normalizeEscapes('%61%2D%2e%5F%7e%30')).toBe('a-._~0');
    expect(normalizeEscapes('%2f%3b%c3%20%25')).toBe('%2F%3B%C3%20%25');
    expect(normalizeEscapes('%2561')).toBe('%2561');
  });
});

describe('escapedByte', () => {
  it('reads an escape, and nothing else', () => {
    expect(escapedByte('a%fF', 1)).toBe(255);
    expect(escapedByte('a%fF', 0)).toBe(-1);
    expect(escapedByte('%f', 0)).toBe(-1);
    expect(escapedByte('%@0', 0)).toBe(-1);
    expect(escapedByte('%g0', 0)).toBe(-1);
  });
});
