import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { credentialNeedles, holdsCredential } from './credential-needles.js';

const SECRET = 'sk_live_4f9a+/=?x';

function found(text: string, ...secrets: string[]): boolean {
  return holdsCredential(text, credentialNeedles(secrets));
}

describe('credentialNeedles and holdsCredential', () => {
  it('find a secret raw and percent-encoded, in part or whole, in either case', () => {
    expect(found(`key=${SECRET};`, SECRET)).toBe(true);
    expect(found(encodeURIComponent(SECRET), SECRET)).toBe(true);
    expect(found(encodeURIComponent(SECRET).toLowerCase(), SECRET)).toBe(true);
    expect(found(SECRET.replace('k', '%6b').replace('v', '%76'), SECRET)).toBe(true);
    expect(found('a+long+secret', 'a long secret')).toBe(true);
    expect(found('%c3%bcber-secret', 'über-secret')).toBe(true);
    expect(found('\u00c3\u00bcber-secret', 'über-secret')).toBe(true);
  });

  it('find a secret in base64, wherever in the encoded text it stands', () => {
    const text = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const encoded = btoa(before + SECRET + after);
        const url = encoded.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
        expect(found(`x=${encoded}`, SECRET)).toBe(true);
        expect(found(url, SECRET)).toBe(true);
        expect(found(encodeURIComponent(encoded), SECRET)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('find nothing in ordinary text, nor for empty secrets', () => {
    expect(found('application/json; charset=utf-8', SECRET)).toBe(false);
    expect(found('100%', SECRET)).toBe(false);
    expect(credentialNeedles(['', ''])).toEqual([]);
    expect(holdsCredential('anything', [])).toBe(false);
  });

  it('leave out base64 spellings too short to say anything', () => {
    expect(credentialNeedles(['abc'])).toEqual(['abc']);
  });
});
