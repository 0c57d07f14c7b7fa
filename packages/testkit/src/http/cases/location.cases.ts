import assert from 'node:assert/strict';
import { answer } from '../answers.js';
import type { CaseRequest, HttpCase } from '../case.js';
import type { RawResponse } from '../client.js';
import { headerValue, headerValues } from '../message.js';
import { PUBLIC_URL, type Variant } from '../world.js';

/** `{up}` stands for the origin of the upstream, `undefined` for a header that is removed. */
type Row = readonly [what: string, sent: string, seen: string | undefined];

const REWRITTEN: readonly Row[] = [
  ['an absolute path inside the base path', '/base/x?y=z#f', `${PUBLIC_URL}/x?y=z#f`],
  ['the base path itself', '/base/', `${PUBLIC_URL}/`],
  ['a URL inside the base path', '{up}/base/x', `${PUBLIC_URL}/x`],
  ['a relative reference', 'x/y', `${PUBLIC_URL}/a/x/y`],
  ['a relative reference upwards inside the base path', '../x', `${PUBLIC_URL}/x`],
  ['a query alone', '?page=2', `${PUBLIC_URL}/a/b?page=2`],
  ['a path on the upstream outside the base path', '/other', undefined],
  ['a path that only begins like the base path', '/based/x', undefined],
  ['a URL on the upstream outside the base path', '{up}/admin', undefined],
  ['a reference that leaves the base path', '/base/../admin', undefined],
  ['a reference that leaves the base path by escapes', '/base/%2e%2e/admin', undefined],
  ['a URL on the gateway', `${PUBLIC_URL}/x`, `${PUBLIC_URL}/x`],
];

function upstreamSends(
  name: string,
  headers: readonly [string, string][],
  status: number,
  request: CaseRequest,
  check: (response: RawResponse) => void,
  variant: Variant = 'main',
): HttpCase {
  return {
    name,
    section: '5',
    variant,
    run: async (t) => {
      t.answer(
        answer(
          status,
          headers.map(([field, value]) => [field, value.replaceAll('{up}', t.upstream.origin)]),
        ),
      );
      const response = await t.send({ target: '/a/b', ...request });
      check(response);
      assert.ok(!response.text.includes(t.upstream.host), 'the address of the upstream stays hidden');
      assert.equal(t.upstream.requests(t.tag).length, 1, 'no redirect is followed');
    },
  };
}

/** Section 5: where an upstream points to. */
export const locationCases: readonly HttpCase[] = [
  ...(['Location', 'Content-Location'] as const).flatMap((field) =>
    REWRITTEN.map(([what, sent, seen]) =>
      upstreamSends(
        `${seen === undefined ? 'removes' : 'rewrites'} ${field} with ${what}`,
        [[field, sent]],
        field === 'Location' ? 302 : 200,
        {},
        (response) => assert.deepEqual(headerValues(response.headers, field), seen === undefined ? [] : [seen]),
      ),
    ),
  ),
  upstreamSends('rewrites Location of a 201', [['Location', '/base/things/1']], 201, {}, ({ headers }) => {
    assert.equal(headerValue(headers, 'location'), `${PUBLIC_URL}/things/1`);
  }),
  upstreamSends('passes a foreign Location', [['Location', 'https://elsewhere.test/x?y']], 302, {}, (response) => {
    assert.equal(response.status, 302);
    assert.equal(headerValue(response.headers, 'location'), 'https://elsewhere.test/x?y');
  }),
  upstreamSends(
    'rewrites Location to the mount',
    [['Location', '/inside/x']],
    302,
    { target: '/mnt/a', resource: null, claims: { target: ['resource://mounted'] } },
    ({ headers }) => assert.equal(headerValue(headers, 'location'), `${PUBLIC_URL}/mnt/x`),
  ),
  upstreamSends(
    'rewrites Location to a path where it knows no public URL',
    [['Location', '{up}/base/x?y']],
    302,
    {},
    ({ headers }) => assert.equal(headerValue(headers, 'location'), '/x?y'),
    'bare',
  ),
  upstreamSends(
    'rewrites the targets of Link and removes foreign ones',
    [
      [
        'Link',
        '</base/items?page=2>; rel="next", <https://elsewhere.test/>; rel="x", <{up}/base/items?page=9>; rel="last"',
      ],
    ],
    200,
    {},
    ({ headers }) => {
      const links = headerValues(headers, 'link').join(', ');
      assert.equal(links, `<${PUBLIC_URL}/items?page=2>; rel="next", <${PUBLIC_URL}/items?page=9>; rel="last"`);
    },
  ),
  upstreamSends(
    'removes a Link that leads out of the base path',
    [['Link', '</admin>; rel="next"']],
    200,
    {},
    ({ headers }) => {
      assert.deepEqual(headerValues(headers, 'link'), []);
    },
  ),
  upstreamSends(
    'takes a Link apart where its URL holds a comma',
    [['Link', '</base/a,b>; rel="next"; title="c, d", </base/e>; rel="prev"']],
    200,
    {},
    ({ headers }) => {
      const links = headerValues(headers, 'link').join(', ');
      assert.equal(links, `<${PUBLIC_URL}/a,b>; rel="next"; title="c, d", <${PUBLIC_URL}/e>; rel="prev"`);
    },
  ),
  {
    name: 'answers 502 instead of a foreign redirect where the resource blocks them',
    section: '5',
    run: async (t) => {
      t.answer(answer(302, [['Location', 'https://elsewhere.test/x']], ''));
      const response = await t.send({ resource: 'resource://block' });
      await t.refused(response, { error: 'redirect_not_allowed', contacted: true });
      assert.equal(headerValue(response.headers, 'location'), undefined);
    },
  },
  upstreamSends(
    'passes a redirect within the resource where foreign ones are blocked',
    [['Location', '/base/x']],
    307,
    { resource: 'resource://block' },
    (response) => {
      assert.equal(response.status, 307);
      assert.equal(headerValue(response.headers, 'location'), `${PUBLIC_URL}/x`);
    },
  ),
];
