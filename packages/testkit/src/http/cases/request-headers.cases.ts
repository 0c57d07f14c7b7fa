import assert from 'node:assert/strict';
import type { HttpCase } from '../case.js';
import { type HeaderField, headerValue, headerValues } from '../message.js';
import { upstreamSees } from '../upstream-sees.js';

/** Must not reach the upstream, however it is written. */
const REMOVED: readonly string[] = [
  'X-Caracal-Anything',
  'X-Caracal-Error',
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Forwarded-Prefix',
  'X-Forwarded-User',
  'Forwarded',
  'X-Real-Ip',
  'X-Client-Ip',
  'True-Client-Ip',
  'X-Cluster-Client-Ip',
  'CF-Connecting-IP',
  'Client-Cert',
  'X-Auth-Request-User',
  'X-Host',
  'X-Original-Url',
  'X-Original-Host',
  'X-Rewrite-Url',
  'X-Http-Method',
  'X-Http-Method-Override',
  'X-Method-Override',
  'Proxy-Authorization',
  'Proxy-Connection',
  'Keep-Alive',
  'TE',
  'DPoP',
  'Txn-Token',
  'Baggage',
  'Cookie',
];

const FOLDED: readonly string[] = [
  'x_forwarded_for',
  'X.Forwarded.For',
  'X_Forwarded.For',
  'x_real_ip',
  'X_Original_Url',
  'X_HTTP_METHOD_OVERRIDE',
  'X_Caracal_Subject',
  'x.caracal.subject',
  'Proxy_Authorization',
  'Txn_Token',
  'X_Request_Id',
  'X!Forwarded!For',
];

/** Written so that some server behind takes them for what frames or directs the request: doubt enough to refuse. */
const POSING: readonly string[] = [
  'x_caracal_resource',
  'Content_Length',
  'Transfer_Encoding',
  'Transfer.Encoding',
  'Content+Length',
];

const KEPT: readonly HeaderField[] = [
  ['Accept', 'text/plain, */*;q=0.1'],
  ['User-Agent', 'agent/1.0 (with a comment)'],
  ['Content-Type', 'application/json; charset="utf-8"'],
  ['Idempotency-Key', '"8e03978e"'],
  ['If-None-Match', 'W/"etag"'],
  ['Range', 'bytes=0-99'],
  ['Accept-Encoding', 'gzip, br'],
  ['Origin', 'https://elsewhere.test'],
  ['Referer', 'https://elsewhere.test/a?b'],
  ['Mcp-Session-Id', 'session'],
  ['Last-Event-ID', '7'],
  ['X-Empty', ''],
  ['X-Custom', 'a,b;c="d"'],
  ['Prefer', 'respond-async'],
];

function namesOf(headers: readonly HeaderField[]): string[] {
  return headers.map(([name]) => name.toLowerCase());
}

/** Section 5, towards the upstream. */
export const requestHeaderCases: readonly HttpCase[] = [
  ...[...REMOVED, ...FOLDED].map((name) =>
    upstreamSees(`keeps ${name} from the upstream`, '5', { headers: [[name, '7']] }, (headers) => {
      const found = headers.filter(([candidate, value]) => candidate === name && value === '7');
      assert.deepEqual(found, []);
    }),
  ),
  ...POSING.map(
    (name): HttpCase => ({
      name: `refuses ${name}, or keeps it from the upstream`,
      section: '5',
      run: async (t) => {
        const response = await t.send({ headers: [[name, '7']] });
        if (response.status === 400) {
          await t.refused(response, { error: 'invalid_request', evidence: 'unauthenticated' });
          return;
        }
        await t.allowed(response);
        assert.ok(!t.received().headers.some(([candidate]) => candidate === name));
      },
    }),
  ),
  upstreamSees('keeps the mandate and the resource from the upstream', '5', {}, (headers) => {
    const names = namesOf(headers);
    for (const name of ['authorization', 'x-caracal-resource']) assert.ok(!names.includes(name), name);
  }),
  upstreamSees(
    'removes the headers that Connection names',
    '5',
    {
      headers: [
        ['Connection', 'X-Hop, x-other-hop'],
        ['X-Hop', '1'],
        ['X-Other-Hop', '2'],
        ['X-Stays', '3'],
      ],
    },
    (headers) => {
      const names = namesOf(headers);
      assert.ok(!names.includes('x-hop') && !names.includes('x-other-hop'));
      assert.equal(headerValue(headers, 'x-stays'), '3');
      assert.ok(!headerValues(headers, 'connection').join().includes('hop'));
    },
  ),
  upstreamSees(
    'lets Connection remove nothing that the gateway sets',
    '5',
    {
      method: 'POST',
      body: 'hello',
      headers: [['Connection', 'Host, Content-Length, X-Request-Id, traceparent, Via']],
    },
    (headers) => {
      for (const name of ['host', 'content-length', 'x-request-id', 'traceparent', 'via']) {
        assert.equal(headerValues(headers, name).length, 1, name);
      }
    },
  ),
  ...KEPT.map(([name, value]) =>
    upstreamSees(`passes ${name} unchanged`, '5', { headers: [[name, value]] }, (headers) => {
      assert.deepEqual(headerValues(headers, name), [value]);
    }),
  ),
  upstreamSees(
    'passes headers in order, with the case of their names and repeated',
    '5',
    {
      headers: [
        ['X-B', '1'],
        ['x-a', '2'],
        ['X-B', '3'],
        ['X-A', '4'],
        ['Accept', 'a'],
        ['Accept', 'b'],
      ],
    },
    (headers) => {
      const seen = headers.filter(([name]) => /^(x-[ab]|accept)$/i.test(name));
      assert.deepEqual(seen, [
        ['X-B', '1'],
        ['x-a', '2'],
        ['X-B', '3'],
        ['X-A', '4'],
        ['Accept', 'a'],
        ['Accept', 'b'],
      ]);
    },
  ),
  upstreamSees(
    'passes bytes above ASCII in a header unchanged',
    '5',
    { headers: [['X-Name', 'J\xc3\xbcrgen \xff']] },
    (headers) => {
      assert.equal(headerValue(headers, 'x-name'), 'J\xc3\xbcrgen \xff');
    },
  ),
  {
    name: 'sets the Host of the upstream, once',
    section: '5',
    run: async (t) => {
      await t.allowed(await t.send({ host: 'anything.test' }));
      assert.deepEqual(headerValues(t.received().headers, 'host'), [t.upstream.host]);
    },
  },
  upstreamSees('adds Via', '5', {}, (headers) => {
    assert.match(headerValues(headers, 'via').join(', '), /^1\.1 \S+$/);
  }),
  upstreamSees('adds itself to the Via of those before it', '5', { headers: [['Via', '1.0 fred']] }, (headers) => {
    assert.match(headerValues(headers, 'via').join(', '), /^1\.0 fred, 1\.1 \S+$/);
  }),
  upstreamSees(
    'tells the address of the caller where the resource asks for X-Forwarded-For, and no other',
    '5',
    {
      resource: 'resource://x-forwarded',
      headers: [
        ['X-Forwarded-For', '6.6.6.6'],
        ['x_forwarded_for', '6.6.6.6'],
      ],
    },
    (headers) => {
      assert.equal(headerValue(headers, 'x-forwarded-for')?.replace('::ffff:', ''), '127.0.0.1');
      assert.ok(!headers.some(([, value]) => value.includes('6.6.6.6')));
    },
  ),
  upstreamSees(
    'tells the address of the caller where the resource asks for Forwarded, and no other',
    '5',
    { resource: 'resource://forwarded', headers: [['Forwarded', 'for=6.6.6.6']] },
    (headers) => {
      assert.match(headerValue(headers, 'forwarded') ?? '', /for="?(\[::ffff:)?127\.0\.0\.1/i);
      assert.ok(!headers.some(([, value]) => value.includes('6.6.6.6')));
    },
  ),
  upstreamSees(
    'passes cookies where the resource says so',
    '5',
    { resource: 'resource://cookies', headers: [['Cookie', 'a=b; c=d']] },
    (headers) => {
      assert.deepEqual(headerValues(headers, 'cookie'), ['a=b; c=d']);
    },
  ),
  ...(
    [
      ['with its length', { body: 'hello' }, 'content-length'],
      ['that is empty', { body: '' }, 'content-length'],
      ['in chunks', { chunks: ['he', 'llo'] }, undefined],
      ['in no chunks', { chunks: [] }, undefined],
    ] as const
  ).map(
    ([what, body, framing]): HttpCase => ({
      name: `passes a body ${what}, framed once`,
      section: '5',
      run: async (t) => {
        await t.allowed(await t.send({ method: 'POST', ...body }));
        const request = t.received();
        const expected = 'body' in body ? body.body : (body.chunks as readonly string[]).join('');
        assert.equal(request.body.toString(), expected);
        const lengths = headerValues(request.headers, 'content-length');
        const codings = headerValues(request.headers, 'transfer-encoding');
        assert.equal(lengths.length + codings.length, 1, 'exactly one framing');
        if (framing === 'content-length') assert.deepEqual(lengths, [String(expected.length)]);
      },
    }),
  ),
  {
    name: 'passes a body of GET',
    section: '7',
    run: async (t) => {
      await t.allowed(await t.send({ method: 'GET', body: '{"query":1}' }));
      assert.equal(t.received().body.toString(), '{"query":1}');
    },
  },
  {
    name: 'drops trailers of the request',
    section: '5',
    run: async (t) => {
      const head = (
        await t.request({
          method: 'POST',
          headers: [
            ['Transfer-Encoding', 'chunked'],
            ['Trailer', 'X-Trailer'],
          ],
        })
      ).toString('latin1');
      await t.allowed(await t.send(`${head}5\r\nhello\r\n0\r\nX-Trailer: 1\r\nX-Caracal-Error: 1\r\n\r\n`));
      const request = t.received();
      assert.equal(request.body.toString(), 'hello');
      assert.ok(!namesOf(request.headers).some((name) => name === 'x-trailer' || name === 'trailer'));
    },
  },
];
