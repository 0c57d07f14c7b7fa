import assert from 'node:assert/strict';
import type { HttpCase } from '../case.js';

function allOf(from: number, to: number, but: string): string {
  let text = '';
  for (let byte = from; byte <= to; byte += 1) {
    const character = String.fromCharCode(byte);
    if (!but.includes(character)) text += character;
  }
  return text;
}

/** Targets that go upstream byte for byte, with what is particular about them. */
const TARGETS: readonly (readonly [what: string, target: string])[] = [
  ['an encoded slash', '/a%2Fb%2fc'],
  ['an encoded backslash', '/a%5Cb'],
  ['empty segments', '/a//b///c'],
  ['two slashes at the beginning', '//evil.test/a'],
  ['two slashes at the beginning and a port', '//evil.test:80/a'],
  ['a slash at the end', '/a/b/'],
  ['no path but the root', '/'],
  ['escapes of characters that need none', '/%41%7e%2D'],
  ['escapes in lower and upper case', '/%e2%82%AC'],
  ['an encoded percent sign', '/100%25'],
  ['a twice encoded letter', '/%2541'],
  ['parameters in a segment', '/a;b=c;d/e'],
  ['a colon and an at sign', '/user@host:80/a'],
  ['every byte a path may hold', `/${allOf(0x21, 0x7e, '\\#<>"%?')}`],
  ['three dots', '/.../a'],
  ['segments that begin or end with dots', '/..a/b../.c/d.'],
  ['a hidden file', '/.git'],
  ['encoded dots within a segment', '/%2e%2ea/b%2e%2e'],
  ['a query', '/a?b=c&d=e'],
  ['an empty query', '/a?'],
  ['question marks in the query', '/a??b?c'],
  ['dot segments in the query', '/a?next=/../../b&x=%2e%2e%2f'],
  ['wrong escapes in the query', '/a?100%&x=%zz&n=%00'],
  ['raw brackets in the query', '/a?expand[]=customer&filter[a]=b'],
  ['every printable byte in the query', `/a?${allOf(0x21, 0x7e, '#')}`],
  ['raw UTF-8 in the query', '/a?name=J\xc3\xbcrgen'],
  ['every high byte in the query', `/a?${allOf(0x80, 0xff, '')}`],
  ['a query with a URL', '/a?url=http://user:pass@evil.test/x?y=z'],
];

/** What is forwarded of the target. */
export const forwardingCases: readonly HttpCase[] = [
  ...TARGETS.map(
    ([what, target]): HttpCase => ({
      name: `forwards a target with ${what} byte for byte after the base path`,
      section: '4',
      run: async (t) => {
        await t.allowed(await t.send({ target }));
        assert.equal(t.received().target, `/base${target}`);
      },
    }),
  ),
  {
    name: 'forwards a target that begins with two slashes to the resource and nowhere else',
    section: '4',
    run: async (t) => {
      await t.allowed(await t.send({ target: '//evil.test/a', resource: 'resource://root' }));
      const { target, headers } = t.received();
      assert.equal(target, '//evil.test/a');
      assert.deepEqual(
        headers.filter(([name]) => name.toLowerCase() === 'host').map(([, value]) => value),
        [t.upstream.host],
      );
    },
  },
  {
    name: 'forwards in origin form with its own protocol version',
    section: '4',
    run: async (t) => {
      await t.allowed(await t.send({ target: '/a' }));
      assert.equal(t.received().version, 'HTTP/1.1');
    },
  },
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map(
    (method): HttpCase => ({
      name: `forwards ${method} as ${method}`,
      section: '1',
      run: async (t) => {
        await t.allowed(await t.send({ method, target: '/a' }));
        assert.equal(t.received().method, method);
      },
    }),
  ),
  {
    name: 'forwards a method that an operation names',
    section: '2.1',
    run: async (t) => {
      const response = await t.send({
        method: 'PROPFIND',
        target: '/v1/files/a',
        resource: 'resource://billing',
        claims: { scope: 'billing:read' },
      });
      await t.allowed(response);
      assert.equal(t.received().method, 'PROPFIND');
    },
  },
];
