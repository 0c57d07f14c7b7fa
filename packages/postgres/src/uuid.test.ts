import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timeOfUuid, uuidOf } from './uuid.js';

describe('uuidOf', () => {
  it('keeps a UUID, in lower case', () => {
    expect(uuidOf('0199F0A0-0000-7000-8000-000000000001')).toBe('0199f0a0-0000-7000-8000-000000000001');
  });

  it('makes a UUIDv8 of any other text, always the same, and never of two texts one', () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const uuid = uuidOf(text);
        expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(uuidOf(text)).toBe(uuid);
        expect(seen.get(uuid) ?? text).toBe(text);
        seen.set(uuid, text);
      }),
    );
  });
});

describe('timeOfUuid', () => {
  it('reads the time of a UUIDv7 and of nothing else', () => {
    expect(timeOfUuid('0192f0c1-8000-7000-9000-000000000000')).toBe(0x0192f0c18000);
    expect(timeOfUuid('0192f0c1-8000-4000-9000-000000000000')).toBeUndefined();
    expect(timeOfUuid('0192f0c1-8000-7')).toBeUndefined();
  });
});
