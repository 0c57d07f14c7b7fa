import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPath, checkQuery } from './target.js';

describe('checkPath', () => {
  it.each([
    '/',
    '/v1/invoices/42',
    '//double//slash/',
    '/a.b/..c/c../...',
    '/caf%C3%A9/%2F/x%5Cy',
    "/!$&'()*+,;=:@-._~[]{}|^`",
    '/;/a;b=.;c',
    '/%25/%252f/%2525',
    '/a%2e/b%252e',
  ])('accepts %s', (path) => {
    expect(checkPath(path)).toBeUndefined();
  });

  it.each([
    ['', 'target_form'],
    ['*', 'target_form'],
    ['a/b', 'target_form'],
    ['http://evil.example/', 'target_form'],
    ['/a b', 'path_byte'],
    ['/a\\b', 'path_byte'],
    ['/a#b', 'path_byte'],
    ['/a"b', 'path_byte'],
    ['/<a>', 'path_byte'],
    ['/a?b', 'path_byte'],
    ['/\t', 'path_byte'],
    ['/\0', 'path_byte'],
    ['/\x7f', 'path_byte'],
    ['/\xe9', 'path_byte'],
    ['/\u0100', 'path_byte'],
    ['/%', 'path_escape'],
    ['/%2', 'path_escape'],
    ['/%zz', 'path_escape'],
    ['/%u002e', 'path_escape'],
    ['/a%00', 'path_nul'],
  ])('refuses %j: %s', (path, reason) => {
    expect(checkPath(path)).toBe(reason);
  });

  it.each([
    '/.',
    '/..',
    '/./a',
    '/a/../b',
    '/a/..',
    '/..;/a',
    '/a/.;x=y/b',
    '/%2e%2e/a',
    '/%2E./a',
    '/a/.%2e',
    '/%252e%252e/a',
    '/%25%32%65./a',
    '/..%2fa',
    '/a%2f..',
    '/a%5c..%5cb',
    '/a%255c..%255cb',
    '/..%3bx/a',
    '/..%253bx/a',
  ])('refuses the dot segment of %s', (path) => {
    expect(checkPath(path)).toBe('path_dot_segment');
  });

  it('judges as a reference that looks at every level of decoding', () => {
    const piece = fc.constantFrom(
      '/',
      '.',
      '..',
      ';',
      'a',
      '%',
      '25',
      '2e',
      '2E',
      '2f',
      '5c',
      '5C',
      '3b',
      '00',
      '?',
      '\\',
    );
    const path = fc.array(piece, { maxLength: 14 }).map((pieces) => `/${pieces.join('')}`);
    fc.assert(
      fc.property(path, (text) => {
        expect(checkPath(text) === undefined).toBe(isAcceptable(text));
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('checkQuery', () => {
  it('accepts every byte from 0x21 but the number sign', () => {
    let all = '?';
    for (let byte = 0x21; byte <= 0xff; byte++) if (byte !== 0x23) all += String.fromCharCode(byte);
    expect(checkQuery(all)).toBeUndefined();
    expect(checkQuery('')).toBeUndefined();
    expect(checkQuery('?a=%zz&b=%00&..%2f')).toBeUndefined();
  });

  it.each(['?a b', '?a#b', '?\r\n', '?\0', '?\u0100'])('refuses %j', (query) => {
    expect(checkQuery(query)).toBe('query_byte');
  });
});

function isAcceptable(path: string): boolean {
  if (!/^\/[\x21-\x7e]*$/.test(path) || /[\\#<>"?]/.test(path)) return false;
  if (/%(?![0-9a-f]{2})/i.test(path) || path.includes('%00')) return false;
  const once = decoded(path);
  return ![path, once, decoded(once)].some((level) =>
    level.split(/[/\\]/).some((segment) => ['.', '..'].includes(segment.split(';')[0] ?? '')),
  );
}

function decoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
