import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatEnvelope, IV_BYTES, parseEnvelope } from './sealed-envelope.js';

const bytes = (min: number, max: number) =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((array) => Uint8Array.from(array));
const envelope = fc.record({
  keyId: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
  iv: bytes(IV_BYTES, IV_BYTES),
  ciphertext: bytes(17, 80),
});

const IV = 'AAAAAAAAAAAAAAAA';
const TEXT = 'AAAAAAAAAAAAAAAAAAAAAAA';

describe('parseEnvelope', () => {
  it('reads what formatEnvelope writes', () => {
    fc.assert(
      fc.property(envelope, ({ keyId, iv, ciphertext }) => {
        const parsed = parseEnvelope(formatEnvelope({ keyId, iv, ciphertext }));
        expect(parsed?.keyId).toBe(keyId);
        expect([...(parsed?.iv ?? [])]).toEqual([...iv]);
        expect([...(parsed?.ciphertext ?? [])]).toEqual([...ciphertext]);
      }),
      { numRuns: 100, interruptAfterTimeLimit: 1000 },
    );
  });

  it('reads no other spelling: whatever it accepts is written the same', () => {
    const nearly = fc
      .tuple(envelope, fc.nat(), fc.constantFrom('A', 'B', '.', '=', '+', '/', ' ', '\n', 'é', ''))
      .map(([parts, at, char]) => {
        const text = formatEnvelope(parts);
        return text.slice(0, at % text.length) + char + text.slice((at % text.length) + 1);
      });
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string()), (text) => {
        const parsed = parseEnvelope(text);
        if (parsed !== undefined) expect(formatEnvelope(parsed)).toBe(text);
      }),
      { numRuns: 500, interruptAfterTimeLimit: 1000 },
    );
  });

  it('refuses another version, a missing or further part, and wrong lengths', () => {
    expect(parseEnvelope(`v1.k1.${IV}.${TEXT}`)).toBeDefined();
    for (const text of [
      '',
      `v2.k1.${IV}.${TEXT}`,
      `k1.${IV}.${TEXT}`,
      `v1.k1.${IV}`,
      `v1.k1.${IV}.${TEXT}.`,
      `v1.k1.${IV}.${TEXT}.x`,
      `v1..${IV}.${TEXT}`,
      `v1.k 1.${IV}.${TEXT}`,
      `v1.${'k'.repeat(65)}.${IV}.${TEXT}`,
      `v1.k1.${IV}AAAA.${TEXT}`,
      // Sixteen bytes are the tag of an empty secret, and there is none.
      `v1.k1.${IV}.AAAAAAAAAAAAAAAAAAAAAA`,
      `v1.k1.${IV}.${TEXT}=`,
      `v1.k1.${IV}.${TEXT}\n`,
      `v1.k1.${IV}.${'A'.repeat(30_000)}`,
    ]) {
      expect(parseEnvelope(text), text.slice(0, 100)).toBeUndefined();
    }
  });
});
