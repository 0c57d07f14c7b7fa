import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withQueryCredential } from './query-credential.js';

describe('withQueryCredential', () => {
  it.each([
    ['', '?api_key=s'],
    ['?', '?api_key=s'],
    ['?a=1', '?a=1&api_key=s'],
    ['?api_key=x', '?api_key=s'],
    ['?api_key', '?api_key=s'],
    ['?api_key=x&a=1&api_key=y', '?a=1&api_key=s'],
    ['?%61pi_key=x&api%5fkey=y&api%5Fkey', '?api_key=s'],
    ['?API_KEY=x', '?API_KEY=x&api_key=s'],
    ['?api_key%=x&api_key%zz=y', '?api_key%=x&api_key%zz=y&api_key=s'],
    ['?a=api_key=x&&b=%zz&c=[1]&', '?a=api_key=x&&b=%zz&c=[1]&&api_key=s'],
    ['?xapi_key=1&api_keyx=1', '?xapi_key=1&api_keyx=1&api_key=s'],
  ])('turns %j into %j', (query, expected) => {
    expect(withQueryCredential(query, 'api_key', 's')).toBe(expected);
  });

  it('compares decoded names, with a plus as a space', () => {
    expect(withQueryCredential('?api+key=x&api%20key=y&api%2Bkey=z', 'api%20key', 's')).toBe(
      '?api%2Bkey=z&api%20key=s',
    );
  });

  it('leaves one parameter of that name and the others as they were, as the URL Standard reads them', () => {
    const piece = fc.constantFrom('k', 'K', '%6b', '%6B', '%4b', '+', '%20', '%', '%6', '=', '&', 'é', '%c3%a9', 'v');
    const texts = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(texts, fc.constantFrom('k', 'k%20', 'K', '%C3%A9'), (text, name) => {
        // Targets are latin1, one char a byte; URLSearchParams takes characters.
        const query = text === '' ? '' : `?${text.replaceAll('é', '\u00c3\u00a9')}`;
        const decodedName = decodeURIComponent(name);
        const after = new URLSearchParams(asUtf8(withQueryCredential(query, name, 's')));
        const expected = [...new URLSearchParams(asUtf8(query))].filter(([key]) => key !== decodedName);
        expect([...after]).toEqual([...expected, [decodedName, 's']]);
      }),
      { numRuns: 500 },
    );
  });
});

function asUtf8(latin1: string): string {
  return new TextDecoder().decode(Uint8Array.from(latin1, (char) => char.charCodeAt(0)));
}
