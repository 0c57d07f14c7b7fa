import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callerLinks, MAX_LINKS } from './link.js';
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
    expect(callerLinks(value, BASE, { left: MAX_LINKS })).toBe(expected);
  });

  it('leaves out links to elsewhere and keeps the others', () => {
    expect(
      callerLinks('<//evil.example/>; rel=a, <a>; rel=b, </admin>; rel=c, <mailto:a@b>', BASE, { left: MAX_LINKS }),
    ).toBe('<https://gw.example/m/a>; rel=b');
    expect(callerLinks('<https://evil.example/>; rel=next', BASE, { left: MAX_LINKS })).toBeUndefined();
  });

  it.each(['', 'a', '<a', '<a> x', '<a>; title="x', '<a>, b', '<a> <b>'])(
    'drops %j, which has no link to trust',
    (value) => {
      expect(callerLinks(value, BASE, { left: MAX_LINKS })).toBeUndefined();
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
        const value = callerLinks(pieces.join(''), BASE, { left: MAX_LINKS });
        if (value === undefined) return;
        expect(value.startsWith('<https://gw.example/')).toBe(true);
        // What was made is read the same way again.
        expect(callerLinks(value, BASE, { left: MAX_LINKS })).toBe(value);
      }),
      { numRuns: 500 },
    );
  });

  it('leaves out values with more links than one head may hold, over all its lines together', () => {
    const budget = { left: MAX_LINKS };
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => `<a?page=${index}>; rel=next`).join(', ');
    expect(callerLinks(many(MAX_LINKS + 1), BASE, budget)).toBeUndefined();
    expect(callerLinks(many(MAX_LINKS - 1), BASE, budget)).toBeDefined();
    expect(callerLinks(many(2), BASE, budget)).toBeUndefined();
    expect(callerLinks(many(1), BASE, budget)).toBeDefined();
  });
});
