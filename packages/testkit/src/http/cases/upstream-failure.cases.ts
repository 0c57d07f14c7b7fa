import assert from 'node:assert/strict';
import type { UpstreamRequest } from '../../upstream.js';
import { echo, headOf, openStream, silence } from '../answers.js';
import type { HttpCase, HttpCaseTools } from '../case.js';
import type { RawResponse } from '../client.js';
import { elapse, within } from '../deadline.js';
import { headerValue } from '../message.js';
import { chunk, LAST_CHUNK } from '../request-bytes.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Answers that are not HTTP, or not one answer. */
const INVALID: readonly (readonly [what: string, text: string])[] = [
  ['something other than HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a header without a colon', 'HTTP/1.1 200 OK\r\nnothing\r\nContent-Length: 0\r\n\r\n'],
  ['a header name with a blank', 'HTTP/1.1 200 OK\r\nX Y: 1\r\nContent-Length: 0\r\n\r\n'],
  ['two different lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!'],
  ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok'],
  ['17 interim responses', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(17) + OK],
  [
    '101 where no upgrade was asked for',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  ],
];

const NOT_ALLOWED: readonly (readonly [what: string, resource: string])[] = [
  ['a private address that its resource does not allow', 'private'],
  ['the metadata service of a cloud, whatever its resource allows', 'metadata'],
];

/** Sends 900 bytes, then 200 more, where 1,000 are allowed; waits until the upstream is left. */
async function growAboveLimit(t: HttpCaseTools): Promise<{ response: RawResponse; request: UpstreamRequest }> {
  const connection = await t.connect();
  const head = await t.request({
    method: 'POST',
    resource: 'resource://small',
    headers: [['Transfer-Encoding', 'chunked']],
  });
  void connection.send(head.toString('latin1') + chunk('b'.repeat(900)));
  const request = await t.upstream.arrival(t.tag);
  await request.bodyReached(900);
  void connection.send(chunk('b'.repeat(200)));
  const response = await connection.response('POST');
  await within(request.closed, 1_000, 'the upstream connection to close');
  return { response, request };
}

/** Rows 20 to 22, and deadlines. */
export const upstreamFailureCases: readonly HttpCase[] = [
  ...NOT_ALLOWED.map(
    ([what, resource]): HttpCase => ({
      name: `does not dial ${what}`,
      section: '2.20',
      run: async (t) => {
        const response = await t.send({ resource: `resource://${resource}` });
        await t.refused(response, { error: 'upstream_not_allowed', contacted: true });
        t.nothingReceived();
      },
    }),
  ),
  {
    name: 'answers 502 where the upstream refuses the connection',
    section: '2.21',
    run: async (t) => {
      const response = await t.send({ resource: 'resource://closed' });
      const record = await t.refused(response, { error: 'upstream_unreachable', contacted: true });
      assert.equal(record.outcome, 'upstream_error');
    },
  },
  ...INVALID.map(
    ([what, text]): HttpCase => ({
      name: `answers 502 where the upstream answers ${what}`,
      section: '2.21',
      run: async (t) => {
        t.answer(async (_, reply) => {
          await reply.write(text);
          reply.end();
        });
        const response = await t.send();
        const record = await t.refused(response, { error: 'upstream_invalid', contacted: true });
        assert.equal(record.outcome, 'upstream_error');
      },
    }),
  ),
  {
    name: 'answers 504 where the upstream does not answer in time',
    section: '2.21',
    run: async (t) => {
      t.answer(silence);
      const response = await t.send({ resource: 'resource://impatient' });
      const record = await t.refused(response, { error: 'upstream_timeout', contacted: true });
      assert.equal(record.outcome, 'timeout');
      await within(t.received().closed, 1_000, 'the upstream connection to close');
    },
  },
  {
    name: 'gives an upload that progresses the time it needs',
    section: '4',
    run: async (t) => {
      t.answer(echo);
      const connection = await t.connect();
      const request = await t.request({
        method: 'POST',
        resource: 'resource://impatient',
        headers: [['Transfer-Encoding', 'chunked']],
      });
      void connection.send(request);
      for (let count = 0; count < 4; count += 1) {
        await elapse(100);
        void connection.send(chunk('part'));
      }
      void connection.send(LAST_CHUNK);
      const response = await connection.response('POST');
      assert.equal(response.status, 200);
      assert.equal(response.body.toString(), 'part'.repeat(4));
    },
  },
  ...(
    [
      ['an answer', 'application/json', 'idle'],
      ['an event stream', 'text/event-stream', 'stream-idle'],
    ] as const
  ).map(
    ([what, type, resource]): HttpCase => ({
      name: `cuts ${what} in which nothing happens any more`,
      section: '4',
      run: async (t) => {
        t.answer(openStream(type));
        const connection = await t.connect();
        void connection.send(await t.request({ resource: `resource://${resource}` }));
        const head = await connection.head();
        const body = connection.body(head);
        assert.equal((await within(body.rest(), 3_000, 'the cut')).toString(), 'first');
        assert.equal(body.complete, false);
        await within(t.received().closed, 1_000, 'the upstream connection to close');
        assert.equal((await t.records(head)).at(-1)?.outcome, 'timeout');
      },
    }),
  ),
  {
    name: 'gives an event stream more time than an answer',
    section: '4',
    run: async (t) => {
      t.answer(async (_, reply) => {
        await reply.write(
          headOf(200, [
            ['Content-Type', 'text/event-stream; charset=utf-8'],
            ['Transfer-Encoding', 'chunked'],
          ]),
        );
        await elapse(500);
        await reply.write(chunk('data: late\n\n') + LAST_CHUNK);
      });
      const response = await t.send({ resource: 'resource://idle' });
      await t.allowed(response);
      assert.equal(response.body.toString(), 'data: late\n\n');
    },
  },
  {
    name: 'refuses a declared length above the limit',
    section: '2.8',
    run: async (t) => {
      const response = await t.send({ method: 'POST', resource: 'resource://small', body: 'b'.repeat(1_001) });
      await t.refused(response, { error: 'payload_too_large' });
    },
  },
  {
    name: 'takes a body of exactly the limit',
    section: '2.8',
    run: async (t) => {
      for (const body of [{ body: 'b'.repeat(1_000) }, { chunks: ['b'.repeat(600), 'b'.repeat(400)] }]) {
        const response = await t.send({ method: 'POST', resource: 'resource://small', ...body });
        assert.equal(response.status, 200);
      }
    },
  },
  {
    name: 'refuses a body that grows above the limit on its way, and aborts the upstream',
    section: '2.22',
    run: async (t) => {
      const { response, request } = await growAboveLimit(t);
      assert.equal(response.status, 413);
      assert.equal(headerValue(response.headers, 'x-caracal-error'), 'payload_too_large');
      assert.equal(request.bodyComplete, false);
      assert.equal((await t.records(response)).at(-1)?.error, 'payload_too_large');
    },
  },
  {
    name: 'sends the upstream no byte beyond the limit',
    section: '2.22',
    run: async (t) => {
      const { request } = await growAboveLimit(t);
      assert.ok(request.body.length <= 1_000, `${request.body.length} bytes went upstream`);
    },
  },
];
