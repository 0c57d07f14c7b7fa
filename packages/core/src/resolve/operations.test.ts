import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Operation, operationTable } from './operations.js';

function table(...templates: string[]) {
  return operationTable(
    templates.map((template) => {
      const [method = '', path = ''] = template.split(' ');
      return { method, path, scopes: [] };
    }),
  );
}

function matched(operations: ReturnType<typeof table>, method: string, path: string): string | undefined {
  return operations.match(method, path)?.template;
}

describe('operationTable', () => {
  it('matches literals, one segment for a name, and everything below a trailing /**', () => {
    const operations = table('GET /', 'GET /v1/invoices/{id}', 'GET /v1/invoices/{id}/lines', 'GET /files/**');
    expect(matched(operations, 'GET', '/')).toBe('/');
    expect(matched(operations, 'GET', '/v1/invoices/42')).toBe('/v1/invoices/{id}');
    expect(matched(operations, 'GET', '/v1/invoices/42/lines')).toBe('/v1/invoices/{id}/lines');
    expect(matched(operations, 'GET', '/v1/invoices/42/other')).toBeUndefined();
    expect(matched(operations, 'GET', '/files/a/b/c')).toBe('/files/**');
    expect(matched(operations, 'POST', '/')).toBeUndefined();
    expect(matched(operations, 'GET', '/V1/invoices/42')).toBeUndefined();
  });

  it('takes a trailing slash for a segment of its own', () => {
    const operations = table('GET /a', 'GET /b/', 'GET /c/{id}', 'GET /d/**');
    expect(matched(operations, 'GET', '/a/')).toBeUndefined();
    expect(matched(operations, 'GET', '/b')).toBeUndefined();
    expect(matched(operations, 'GET', '/b/')).toBe('/b/');
    expect(matched(operations, 'GET', '/c/')).toBeUndefined();
    expect(matched(operations, 'GET', '/c/1/')).toBeUndefined();
    expect(matched(operations, 'GET', '/d')).toBeUndefined();
    expect(matched(operations, 'GET', '/d/')).toBe('/d/**');
  });

  it('lets the most specific template win, segment by segment', () => {
    const operations = table('GET /**', 'GET /{a}/x/y', 'GET /a/**', 'GET /a/{b}', 'GET /a/b', 'GET /{a}/b');
    expect(matched(operations, 'GET', '/a/b')).toBe('/a/b');
    expect(matched(operations, 'GET', '/a/c')).toBe('/a/{b}');
    expect(matched(operations, 'GET', '/a/x/y')).toBe('/a/**');
    expect(matched(operations, 'GET', '/c/b')).toBe('/{a}/b');
    expect(matched(operations, 'GET', '/c/x/y')).toBe('/{a}/x/y');
    expect(matched(operations, 'GET', '/c/x/z')).toBe('/**');
    expect(matched(operations, 'GET', '/')).toBe('/**');
  });

  it('compares segments after decoding unreserved characters once', () => {
    const operations = table('GET /a~b/%7Ec', 'GET /caf%c3%a9');
    expect(matched(operations, 'GET', '/%61%7eb/~%63')).toBe('/a~b/%7Ec');
    expect(matched(operations, 'GET', '/caf%C3%A9')).toBe('/caf%c3%a9');
    expect(matched(operations, 'GET', '/%2561~b/~c')).toBeUndefined();
  });

  it('gives {name} no segment with a hidden separator; /** takes it', () => {
    const operations = table('GET /a/{id}', 'GET /b/**');
    for (const segment of ['x%2Fy', 'x%2fy', 'x%5Cy', 'x%5cy', 'x%252Fy', 'x%252fy', 'x%25255cy', 'x;y', ';']) {
      expect(matched(operations, 'GET', `/a/${segment}`)).toBeUndefined();
      expect(matched(operations, 'GET', `/b/${segment}`)).toBe('/b/**');
    }
    expect(matched(operations, 'GET', '/a/x%20y')).toBe('/a/{id}');
    expect(matched(operations, 'GET', '/a/x%3By')).toBe('/a/{id}');
  });

  it('matches nothing where a segment before the last is empty', () => {
    const operations = table('GET /**', 'GET /a/{id}');
    for (const path of ['//', '//a', '/a//', '/a//b']) expect(matched(operations, 'GET', path)).toBeUndefined();
  });

  it('matches nothing where a segment is another spelling of a literal', () => {
    const operations = table('GET /users/@me', 'GET /users/{id}', 'GET /**', 'GET /v1/messages:send', 'GET /v1/{name}');
    expect(matched(operations, 'GET', '/users/@me')).toBe('/users/@me');
    expect(matched(operations, 'GET', '/users/%40me')).toBeUndefined();
    expect(matched(operations, 'GET', '/users/%2540me')).toBeUndefined();
    expect(matched(operations, 'HEAD', '/users/%40me')).toBeUndefined();
    expect(matched(operations, 'GET', '/users/%40you')).toBe('/users/{id}');
    expect(matched(operations, 'GET', '/v1/messages%3Asend')).toBeUndefined();
    expect(matched(operations, 'GET', '/v1/messages%3Aget')).toBe('/v1/{name}');
  });

  it("uses GET's operation for HEAD unless one is declared", () => {
    const operations = table('GET /a', 'GET /b', 'HEAD /b', 'POST /c');
    expect(operations.match('HEAD', '/a')).toMatchObject({ method: 'GET', template: '/a' });
    expect(operations.match('HEAD', '/b')).toMatchObject({ method: 'HEAD', template: '/b' });
    expect(operations.match('HEAD', '/c')).toBeUndefined();
  });

  it('keeps what was declared', () => {
    const operations = operationTable([
      { method: 'GET', path: '/a', scopes: ['s'], name: 'read a' },
      { method: 'PROPFIND', path: '/b', scopes: [] },
    ]);
    expect(operations.match('GET', '/a')).toEqual({ method: 'GET', template: '/a', name: 'read a', scopes: ['s'] });
    expect(operations.size).toBe(2);
    expect([...operations.methods]).toEqual(['GET', 'PROPFIND']);
  });

  it("needs the resource's scopes where an operation names none, and no others than these", () => {
    const definitions = [
      { method: 'GET', path: '/a' },
      { method: 'GET', path: '/b', scopes: [] },
    ];
    const operations = operationTable(definitions, ['x', 'y']);
    expect(operations.match('GET', '/a')?.scopes).toEqual(['x', 'y']);
    expect(operations.match('GET', '/b')?.scopes).toEqual([]);
    expect(() => operationTable([{ method: 'GET', path: '/a', scopes: ['z'] }], ['x'])).toThrow(
      "operations.0.scopes: z is not among the resource's scopes",
    );
  });

  it.each([
    ['/a/{x}', '/a/{y}'],
    ['/a', '/%61'],
    ['/a%2fb', '/a%2Fb'],
    ['/a/**', '/a/**'],
    ['/**', '/**'],
  ])('refuses the equal templates %s and %s', (one, other) => {
    expect(() => table(`GET ${one}`, `GET ${other}`)).toThrow(
      new TypeError(`operations.1: GET ${other} and GET ${one} are equal`),
    );
    expect(() => table(`GET ${one}`, `POST ${other}`)).not.toThrow();
  });

  it.each([
    '',
    'a',
    '/a?b',
    '/a b',
    '/a#b',
    '/a//b',
    '//',
    '/../a',
    '/%2e%2e/a',
    '/%zz',
    '/*',
    '/**/a',
    '/a**',
    '/a*b',
    '/{}',
    '/{a b}',
    '/{a}b',
    '/a{b}',
    '/{1}',
    `/${'a'.repeat(8192)}`,
  ])('refuses the template %j', (path) => {
    expect(() => operationTable([{ method: 'GET', path, scopes: [] }])).toThrow(/^operations\.0\.path: /);
  });

  it.each(['get', '', 'G T', 'TRACE', 'CONNECT', 'GÄT'])('refuses the method %j', (method) => {
    expect(() => operationTable([{ method, path: '/', scopes: [] }])).toThrow(/^operations\.0\.method: /);
  });

  it('finds what a naive matcher finds', () => {
    const pathSegment = fc.constantFrom('a', 'b', '%61', '@m', 'a%2fb', 'a;b', 'a%5Cb', 'c', 'A', '');
    fc.assert(
      fc.property(fc.uniqueArray(TEMPLATE, { maxLength: 8 }), pathOf(pathSegment), (templates, path) => {
        const operations = table(...templates.map((text) => `GET ${text}`));
        expect(matched(operations, 'GET', path)).toBe(naiveMatch(templates, path));
      }),
      { numRuns: 5_000 },
    );
  });

  it('finds for an escaped spelling what it finds for the plain one, or nothing', () => {
    const pathSegment = fc.constantFrom('a', 'b', '@m', 'c', '');
    const spell = (segment: string, times: number) => (times === 0 ? segment : escapeAll(segment, times));
    fc.assert(
      fc.property(
        fc.uniqueArray(TEMPLATE, { maxLength: 8 }),
        fc.array(fc.tuple(pathSegment, fc.constantFrom(0, 1, 2)), { minLength: 1, maxLength: 4 }),
        (templates, segments) => {
          const operations = table(...templates.map((text) => `GET ${text}`));
          const plain = matched(operations, 'GET', `/${segments.map(([segment]) => segment).join('/')}`);
          const escaped = matched(
            operations,
            'GET',
            `/${segments.map(([text, times]) => spell(text, times)).join('/')}`,
          );
          expect([plain, undefined]).toContain(escaped);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('answers in time for what is declared, whatever is asked', () => {
    const deep = `/${Array.from({ length: 14 }, () => '{x}').join('/')}`;
    const templates = Array.from({ length: 14 }, (_, depth) =>
      deep
        .split('/')
        .with(depth + 1, 'a')
        .join('/'),
    );
    const operations = table(...templates.map((text) => `GET ${text}`));
    expect(matched(operations, 'GET', '/a'.repeat(4_000))).toBeUndefined();
    const found: Operation | undefined = operations.match('GET', `/a${'/b'.repeat(13)}`);
    expect(found?.template).toBe(templates[0]);
  });
});

const TEMPLATE = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '@m', 'a%2Fb', '', '{x}'), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([segments, rest]) => `/${segments.join('/')}${rest ? '/**' : ''}`)
  .filter((text) => !text.includes('//'));

function pathOf(segment: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join('/')}`);
}

/** Compares every template with the path and orders those that match by the kinds of their segments. */
function naiveMatch(templates: readonly string[], path: string): string | undefined {
  if (path.includes('//')) return undefined;
  const ranked = templates
    .map((template) => ({ template, rank: rankOf(template.slice(1).split('/'), path.slice(1).split('/')) }))
    .filter(({ rank }) => rank !== undefined)
    .sort((one, other) => ((one.rank ?? '') < (other.rank ?? '') ? -1 : 1));
  return ranked[0]?.template;
}

/** One digit a segment: 0 literal, 1 name, 2 rest. */
function rankOf(template: readonly string[], path: readonly string[]): string | undefined {
  const rest = template.at(-1) === '**';
  const fixed = rest ? template.slice(0, -1) : template;
  if (rest ? path.length <= fixed.length : path.length !== fixed.length) return undefined;
  const ranks = fixed.map((part, index) => {
    const segment = path[index] ?? '';
    if (part === '{x}') return segment === '' || /;|%(25)*(2f|5c)/i.test(segment) ? 'no' : '1';
    return spelling(part) === spelling(segment) ? '0' : 'no';
  });
  return ranks.includes('no') ? undefined : `${ranks.join('')}${rest ? '2' : ''}`;
}

function spelling(segment: string): string {
  return segment.replace('%61', 'a').replace('%2f', '%2F');
}

function escapeAll(segment: string, times: number): string {
  const once = Array.from(segment, (char) => `%${char.charCodeAt(0).toString(16)}`).join('');
  return times === 1 ? once : once.replaceAll('%', '%25');
}
