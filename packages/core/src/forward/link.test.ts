import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callerLinks } from './link.js';
import type { ReferenceBase } from './location.js';

const BASE: ReferenceBase = {
  upstream: { origin: 'https://api.example', host: 'api.example', basePath: '/base' },
  target: '/base/items?page=1',
  mountPrefix: '/m',
  publicUrl: 'https://gw.example',
};

describe('callerLinks', () => {
  it.each([
    ['<https://api.example/base/items?page=2>; rel="next"', '<https://gw.example/m/items?page=2>; rel="next"'],
    [
      '<?page=2>;rel=next,<?page=9> ; rel=last',
      '<https://gw.example/m/items?page=2>;rel=next, <https://gw.example/m/items?page=9>; rel=last',
    ],
    ['<a>; title="x, <y>; \\"z\\""; rel=next', '<https://gw.example/m/a>; title="x, <y>; \\"z\\""; rel=next'],
    ['<a,b>', '<https://gw.example/m/a,b>'],
    [', ,<a>,', '<https://gw.example/m/a>'],
    ['<https://gw.example/x>; rel=x', '<https://gw.example/x>; rel=x'],
  ])('turns %j into %j', (value, expected) => {
    expect(callerLinks(value, BASE)).toBe(expected);
  });

  it('leaves out links to elsewhere and keeps the others', () => {
    expect(callerLinks('<//evil.example/>; rel=a, <a>; rel=b, </admin>; rel=c, <mailto:a@b>', BASE)).toBe(
      '<https://gw.example/m/a>; rel=b',
    );
    expect(callerLinks('<https://evil.example/>; rel=next', BASE)).toBeUndefined();
  });

  it.each(['', 'a', '<a', '<a> x', '<a>; title="x', '<a>, b', '<a> <b>'])(
    'drops %j, which has no link to trust',
    (value) => {
      expect(callerLinks(value, BASE)).toBeUndefined();
    },
  );

  it('names no other host than the gateway as a target, whatever comes', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '"',
      ',',
      ';',
      '\\',
      'a',
      '//evil.example',
      ' ',
      'rel=next',
      'https://evil.example',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const value = callerLinks(pieces.join(''), BASE);
        if (value === undefined) return;
        expect(value.startsWith('<https://gw.example/')).toBe(true);
        // What was made is read the same way again.
        expect(callerLinks(value, BASE)).toBe(value);
      }),
      { numRuns: 500 },
    );
  });
});
