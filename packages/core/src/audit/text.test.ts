import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evidenceText, MAX_TEXT } from './text.js';

describe('evidenceText', () => {
  it('is bounded, well formed and free of NUL for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), fc.nat(600), (text, cut) => {
        const kept = evidenceText(text.slice(cut));
        expect(kept.length).toBeLessThanOrEqual(MAX_TEXT);
        expect(kept.isWellFormed()).toBe(true);
        expect(kept.includes('\0')).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves ordinary text alone', () => {
    expect(evidenceText('/v1/invoices/ü')).toBe('/v1/invoices/ü');
  });
});
