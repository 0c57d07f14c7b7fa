import { describe, expect, it } from 'vitest';
import { refuseUnknownOptions, wholeNumber } from './option-checks.js';

describe('refuseUnknownOptions', () => {
  it('names the unknown option and the known ones', () => {
    expect(() => refuseUnknownOptions('make', { maxEntrys: 1 }, ['maxEntries', 'clock'])).toThrow(
      'make: unknown option maxEntrys; known are maxEntries, clock',
    );
  });

  it('refuses a __proto__ that came out of JSON', () => {
    expect(() => refuseUnknownOptions('make', JSON.parse('{"__proto__":{}}'), ['clock'])).toThrow(TypeError);
  });

  it('refuses what is no object', () => {
    for (const options of [null, undefined, 'text'] as unknown as object[]) {
      expect(() => refuseUnknownOptions('make', options, [])).toThrow('make: options is an object');
    }
  });
});

describe('wholeNumber', () => {
  it('answers the number', () => {
    expect(wholeNumber('make', 'maxEntries', 5)).toBe(5);
    expect(wholeNumber('make', 'skew', 0, 0)).toBe(0);
  });

  it('refuses fractions, infinities, texts and what is too small', () => {
    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5' as unknown as number]) {
      expect(() => wholeNumber('make', 'maxEntries', value)).toThrow(
        'make: maxEntries is a whole number of at least 1',
      );
    }
  });
});
