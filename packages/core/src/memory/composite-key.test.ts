import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compositeKey } from './composite-key.js';

// Of few characters, so that the texts of two lists often join to one.
const part = fc.string({ unit: fc.constantFrom('a', ':', '0', '1', '2'), maxLength: 5 });

describe('compositeKey', () => {
  it('is equal for equal lists alone', () => {
    const list = fc.array(part, { maxLength: 4 });
    fc.assert(
      fc.property(list, list, (first, second) => {
        const isEqual = JSON.stringify(first) === JSON.stringify(second);
        expect(compositeKey(first) === compositeKey(second)).toBe(isEqual);
      }),
      { numRuns: 2_000, interruptAfterTimeLimit: 1000 },
    );
  });

  it('tells the same text cut in different places apart', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('1', ':', 'a'), maxLength: 8 }),
        fc.nat(8),
        fc.nat(8),
        (text, i, j) => {
          fc.pre(Math.min(i, text.length) !== Math.min(j, text.length));
          expect(compositeKey([text.slice(0, i), text.slice(i)])).not.toBe(
            compositeKey([text.slice(0, j), text.slice(j)]),
          );
        },
      ),
      { numRuns: 500, interruptAfterTimeLimit: 1000 },
    );
  });
});
