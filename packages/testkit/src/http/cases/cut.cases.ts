import assert from 'node:assert/strict';
import { headOf, openStream, silence } from '../answers.js';
import type { HttpCase } from '../case.js';
import { elapse, within } from '../deadline.js';
import { headerValue } from '../message.js';
import { chunk, LAST_CHUNK } from '../request-bytes.js';

/** An `exp` that is reached in half a second at least, in one and a half at most. */
function soon(): number {
  return Math.floor((Date.now() + 1_500) / 1_000);
}

function until(seconds: number): Promise<void> {
  return elapse(Math.max(0, seconds * 1_000 - Date.now()));
}

/** Section 7: what ends an exchange that was admitted. */
export const cutCases: readonly HttpCase[] = [
  ...['text/event-stream', 'application/octet-stream'].map(
    (type): HttpCase => ({
      name: `cuts an answer of ${type} when its mandate is revoked`,
      section: '7',
      run: async (t) => {
        t.answer(openStream(type));
        const sid = crypto.randomUUID();
        const connection = await t.connect();
        void connection.send(await t.request({ claims: { sid } }));
        const head = await connection.head();
        const body = connection.body(head);
        await body.next();
        const { issuer, zoneId } = t.issuers.main;
        await t.subject.revoke({ issuer, zoneId, kind: 'sid', id: sid });
        assert.equal((await within(body.rest(), 1_000, 'the cut')).length, 0);
        assert.equal(body.complete, false, 'a cut stream never ends cleanly');
        await within(t.received().closed, 1_000, 'the upstream connection to close');
        assert.equal((await t.records(head)).at(-1)?.outcome, 'revoked_mid_stream');
      },
    }),
  ),
  {
    name: 'cuts an upload when its mandate is revoked',
    section: '7',
    run: async (t) => {
      const client = crypto.randomUUID();
      const connection = await t.connect();
      const head = await t.request({
        method: 'PUT',
        headers: [['Content-Length', '1000']],
        claims: { client_id: client },
      });
      void connection.send(`${head.toString('latin1')}part`);
      const request = await t.upstream.arrival(t.tag);
      await request.bodyReached(4);
      const { issuer, zoneId } = t.issuers.main;
      await t.subject.revoke({ issuer, zoneId, kind: 'client_id', id: client });
      await within(request.closed, 1_000, 'the upstream connection to close');
      assert.equal(request.bodyComplete, false);
      await connection.untilClosed();
      const records = await t.records(headerValue(request.headers, 'x-request-id') ?? '');
      assert.equal(records.at(-1)?.outcome, 'revoked_mid_stream');
    },
  },
  {
    name: 'cuts a request that waits for its answer when its mandate is revoked',
    section: '7',
    run: async (t) => {
      t.answer(silence);
      const sub = crypto.randomUUID();
      const connection = await t.connect();
      void connection.send(await t.request({ claims: { sub } }));
      const request = await t.upstream.arrival(t.tag);
      const { issuer, zoneId } = t.issuers.main;
      await t.subject.revoke({ issuer, zoneId, kind: 'sub', id: sub });
      await within(request.closed, 1_000, 'the upstream connection to close');
      const records = await t.records(headerValue(request.headers, 'x-request-id') ?? '');
      assert.equal(records.at(-1)?.outcome, 'revoked_mid_stream');
    },
  },
  {
    name: 'cuts nobody else when a mandate is revoked',
    section: '7',
    run: async (t) => {
      t.answer(openStream('text/event-stream'));
      const sids = [crypto.randomUUID(), crypto.randomUUID()] as const;
      const streams = await Promise.all(
        sids.map(async (sid) => {
          const connection = await t.connect();
          void connection.send(await t.request({ claims: { sid } }));
          const body = connection.body(await connection.head());
          await body.next();
          return body;
        }),
      );
      const { issuer, zoneId } = t.issuers.main;
      await t.subject.revoke({ issuer, zoneId, kind: 'sid', id: sids[0] });
      await within(streams[0]!.next(), 1_000, 'the cut');
      const other = await Promise.race([streams[1]!.next().then(() => 'ended'), elapse(150).then(() => 'open')]);
      assert.equal(other, 'open');
    },
  },
  {
    name: 'cuts an event stream when its mandate expires',
    section: '7',
    run: async (t) => {
      t.answer(openStream('text/event-stream; charset=utf-8'));
      const connection = await t.connect();
      const exp = soon();
      void connection.send(await t.request({ claims: { exp } }));
      const head = await connection.head();
      const body = connection.body(head);
      await body.next();
      assert.equal((await within(body.rest(), 3_500, 'the cut')).length, 0);
      assert.ok(Date.now() >= exp * 1_000 - 50, 'not before exp');
      assert.equal(body.complete, false);
      await within(t.received().closed, 1_000, 'the upstream connection to close');
      assert.equal((await t.records(head)).at(-1)?.outcome, 'expired_mid_stream');
    },
  },
  ...(
    [
      ['an ordinary answer', 'application/octet-stream', 'echo'],
      ['an event stream of a resource that says so', 'text/event-stream', 'finish'],
    ] as const
  ).map(
    ([what, type, resource]): HttpCase => ({
      name: `lets ${what} finish although its mandate has expired`,
      section: '7',
      run: async (t) => {
        const exp = soon();
        t.answer(async (_, reply) => {
          await reply.write(
            headOf(200, [
              ['Content-Type', type],
              ['Transfer-Encoding', 'chunked'],
            ]) + chunk('first'),
          );
          await until(exp + 1.2);
          await reply.write(chunk(' last') + LAST_CHUNK);
        });
        const response = await t.send({ resource: `resource://${resource}`, claims: { exp } });
        await t.allowed(response);
        assert.equal(response.body.toString(), 'first last');
      },
    }),
  ),
  {
    name: 'refuses a mandate the second it expires, although it was accepted before',
    section: '3',
    run: async (t) => {
      const exp = soon();
      const mandate = await t.mandate({ target: ['resource://echo'], exp });
      assert.equal((await t.send({ mandate })).status, 200);
      await until(exp + 0.02);
      const response = await t.send({ mandate });
      assert.equal(headerValue(response.headers, 'x-caracal-error'), 'invalid_token');
      assert.equal(t.upstream.requests(t.tag).length, 1);
    },
  },
];
