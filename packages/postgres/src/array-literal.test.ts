import { describe, expect, it } from 'vitest';
import { arrayLiteral } from './array-literal.js';

describe('arrayLiteral', () => {
  it('quotes what is special, and tells NULL from the text of that name', () => {
    expect(arrayLiteral(['a', null, 'NULL', 'say "x" \\ {y}, z', '', 7, ' '])).toBe(
      '{"a",NULL,"NULL","say \\"x\\" \\\\ {y}, z","",7," "}',
    );
    expect(arrayLiteral([])).toBe('{}');
    expect(arrayLiteral([''])).toBe('{""}');
  });
});
