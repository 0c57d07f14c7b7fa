import assert from 'node:assert/strict';
import { answer } from '../answers.js';
import type { CaseRequest, HttpCase } from '../case.js';
import { UUID_V7 } from '../expect-refusal.js';
import { type HeaderField, headerValue, headerValues } from '../message.js';
import { CREDENTIALS } from '../world.js';

/** Must not reach the caller, however it is written. */
const REMOVED: readonly string[] = [
  'Server',
  'X-Powered-By',
  'X-AspNet-Version',
  'X-AspNetMvc-Version',
  'Refresh',
  'Access-Control-Allow-Origin',
  'Access-Control-Allow-Credentials',
  'Access-Control-Expose-Headers',
  'Alt-Svc',
  'Strict-Transport-Security',
  'Clear-Site-Data',
  'NEL',
  'Report-To',
  'X-Caracal-Error',
  'X-Caracal-Anything',
  'Proxy-Authenticate',
  'Proxy-Connection',
  'Set-Cookie',
  'x_caracal_error',
  'X.Caracal.Error',
  'Access_Control_Allow_Origin',
  'X_Powered_By',
  'set_cookie',
];

const KEPT: readonly HeaderField[] = [
  ['Content-Type', 'application/vnd.api+json'],
  ['ETag', 'W/"1"'],
  ['Last-Modified', 'Mon, 01 Jan 2024 00:00:00 GMT'],
  ['Cache-Control', 'private, max-age=60'],
  ['Retry-After', '17'],
  ['X-RateLimit-Remaining', '5'],
  ['Content-Language', 'de'],
  ['Content-Disposition', 'attachment; filename="a b"'],
  ['Accept-Ranges', 'bytes'],
  ['Mcp-Session-Id', 'session'],
  ['X-Accel-Buffering', 'no'],
  ['Content-Security-Policy', "default-src 'none'"],
  ['X-Custom', ''],
];

function callerSees(
  name: string,
  sent: readonly HeaderField[],
  check: (headers: readonly HeaderField[]) => void,
  request: CaseRequest = {},
  status = 200,
): HttpCase {
  return {
    name,
    section: '5',
    run: async (t) => {
      t.answer(answer(status, sent));
      const response = await t.send(request);
      assert.equal(response.status, status);
      check(response.headers);
      await t.records(response);
    },
  };
}

/** What an upstream might send back of the credential it was given. */
const ECHOES: readonly (readonly [what: string, value: string])[] = [
  ['raw', CREDENTIALS.header],
  ['within other text', `key=${CREDENTIALS.header}; path=/`],
  ['in base64', Buffer.from(CREDENTIALS.header).toString('base64')],
  ['percent-encoded', encodeURIComponent(CREDENTIALS.header)],
];

function vary(headers: readonly HeaderField[]): string[] {
  return headerValues(headers, 'vary').flatMap((value) => value.split(',').map((field) => field.trim().toLowerCase()));
}

/** Section 5, towards the caller. */
export const responseHeaderCases: readonly HttpCase[] = [
  ...REMOVED.map((name) =>
    callerSees(`keeps ${name} of the upstream from the caller`, [[name, 'upstream-value']], (headers) => {
      assert.deepEqual(
        headers.filter(([, value]) => value.includes('upstream-value')),
        [],
      );
    }),
  ),
  ...KEPT.map(([name, value]) =>
    callerSees(`passes ${name} of the upstream unchanged`, [[name, value]], (headers) => {
      assert.deepEqual(headerValues(headers, name), [value]);
    }),
  ),
  callerSees(
    'removes response headers that Connection names',
    [
      ['Connection', 'X-Hop, keep-alive'],
      ['X-Hop', '1'],
      ['Keep-Alive', 'timeout=77'],
      ['X-Stays', '2'],
    ],
    (headers) => {
      assert.equal(headerValue(headers, 'x-hop'), undefined);
      assert.doesNotMatch(headerValues(headers, 'keep-alive').join(), /77/);
      assert.equal(headerValue(headers, 'x-stays'), '2');
    },
  ),
  callerSees('passes response headers with the case of their names', [['X-MiXeD', '1']], (headers) => {
    assert.ok(headers.some(([name]) => name === 'X-MiXeD'));
  }),
  callerSees(
    'passes repeated response headers in order',
    [
      ['X-A', '1'],
      ['x-b', '2'],
      ['X-A', '3'],
      ['Warning', '199 a'],
      ['Warning', '199 b'],
    ],
    (headers) => {
      assert.deepEqual(headerValues(headers, 'x-a'), ['1', '3']);
      assert.deepEqual(headerValues(headers, 'warning'), ['199 a', '199 b']);
    },
  ),
  callerSees(
    'passes cookies where the resource says so, without their domain',
    [
      ['Set-Cookie', 'a=1; Domain=upstream.test; Path=/; HttpOnly'],
      ['Set-Cookie', 'b=2; domain=.upstream.test; Secure'],
    ],
    (headers) => {
      const cookies = headerValues(headers, 'set-cookie');
      assert.equal(cookies.length, 2);
      assert.match(cookies[0]!, /^a=1;.*HttpOnly/);
      assert.match(cookies[1]!, /^b=2;.*Secure/);
      assert.ok(cookies.every((cookie) => !/domain/i.test(cookie)));
    },
    { resource: 'resource://cookies' },
  ),
  callerSees('says what the answer depends on', [], (headers) => {
    for (const field of ['authorization', 'x-caracal-resource']) assert.ok(vary(headers).includes(field), field);
  }),
  callerSees('adds to the Vary of the upstream', [['Vary', 'Accept, Accept-Encoding']], (headers) => {
    const fields = ['accept', 'accept-encoding', 'authorization', 'x-caracal-resource'];
    for (const field of fields) assert.ok(vary(headers).includes(field), field);
  }),
  callerSees('tells its request id', [], (headers) => {
    assert.match(headerValue(headers, 'x-caracal-request-id') ?? '', UUID_V7);
  }),
  callerSees('tells how long the mandate still lives', [], (headers) => {
    const seconds = Number(headerValue(headers, 'x-caracal-token-expires-in'));
    assert.ok(Number.isInteger(seconds) && seconds > 280 && seconds <= 300, String(seconds));
  }),
  callerSees('passes the request id of the upstream', [['X-Request-Id', 'of-the-upstream']], (headers) => {
    assert.deepEqual(headerValues(headers, 'x-request-id'), ['of-the-upstream']);
  }),
  callerSees('tells its own request id where the upstream tells none', [], (headers) => {
    assert.equal(headerValue(headers, 'x-request-id'), headerValue(headers, 'x-caracal-request-id'));
  }),
  ...ECHOES.map(([what, value]) =>
    callerSees(
      `removes a response header that holds the credential ${what}`,
      [
        ['X-Echo', value],
        ['X-Harmless', 'stays'],
      ],
      (headers) => {
        assert.equal(headerValue(headers, 'x-echo'), undefined);
        assert.equal(headerValue(headers, 'x-harmless'), 'stays');
      },
      { resource: 'resource://key-header' },
    ),
  ),
  callerSees(
    'removes a response header that holds the credentials of basic authentication',
    [['X-Echo', `Basic ${Buffer.from(`caracal:${CREDENTIALS.basic}`).toString('base64')}`]],
    (headers) => assert.equal(headerValue(headers, 'x-echo'), undefined),
    { resource: 'resource://basic' },
  ),
  callerSees(
    'removes a Location that holds the credential of the query',
    [['Location', `https://elsewhere.test/?api_key=${encodeURIComponent(CREDENTIALS.query)}`]],
    (headers) => assert.equal(headerValue(headers, 'location'), undefined),
    { resource: 'resource://key-query' },
    302,
  ),
  {
    name: 'passes a 401 of the upstream with its challenge and its body, unmarked',
    section: '2.refusal',
    run: async (t) => {
      t.answer(
        answer(
          401,
          [
            ['WWW-Authenticate', 'Basic realm="upstream"'],
            ['Content-Type', 'text/plain'],
          ],
          'not you',
        ),
      );
      const response = await t.send();
      assert.equal(response.status, 401);
      assert.deepEqual(headerValues(response.headers, 'www-authenticate'), ['Basic realm="upstream"']);
      assert.equal(headerValue(response.headers, 'x-caracal-error'), undefined);
      assert.equal(response.body.toString(), 'not you');
      const records = await t.records(response);
      assert.equal(records.at(-1)?.status, 401);
      assert.equal(records.at(-1)?.outcome, 'executed');
      assert.equal(t.upstream.requests(t.tag).length, 1, 'a credential that cannot be renewed is not tried again');
    },
  },
  ...[201, 202, 203, 206, 300, 400, 402, 403, 404, 409, 418, 429, 451, 500, 502, 503, 504, 599].map(
    (status): HttpCase => ({
      name: `passes status ${status} of the upstream with its body`,
      section: '5',
      run: async (t) => {
        t.answer(answer(status, [], 'the body'));
        const response = await t.send();
        await t.allowed(response, status);
        assert.equal(response.body.toString(), 'the body');
      },
    }),
  ),
  {
    name: 'passes an encoded body as it is',
    section: '5',
    run: async (t) => {
      const gzip = '\x1f\x8b\x08\x00 not really, and nobody should look';
      t.answer(answer(200, [['Content-Encoding', 'gzip']], gzip));
      const response = await t.send({ headers: [['Accept-Encoding', 'gzip']] });
      assert.equal(headerValue(response.headers, 'content-encoding'), 'gzip');
      assert.equal(response.body.toString('latin1'), gzip);
    },
  },
  {
    name: 'drops trailers of the response',
    section: '5',
    run: async (t) => {
      t.answer(async (_, reply) => {
        await reply.write('HTTP/1.1 200 OK\r\nTrailer: X-Trailer\r\nTransfer-Encoding: chunked\r\n\r\n');
        await reply.write('5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n');
      });
      const response = await t.send();
      await t.allowed(response);
      assert.equal(response.body.toString(), 'hello');
      assert.deepEqual(response.trailers, []);
      assert.equal(headerValue(response.headers, 'trailer'), undefined);
    },
  },
];
