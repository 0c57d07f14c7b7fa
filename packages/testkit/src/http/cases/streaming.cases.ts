import assert from 'node:assert/strict';
import { bytes, download, echo, headOf, openStream, silence } from '../answers.js';
import type { HttpCase, HttpCaseTools } from '../case.js';
import { elapse, gate, within } from '../deadline.js';
import { headerValue } from '../message.js';
import { chunk, LAST_CHUNK } from '../request-bytes.js';

/** A caller that goes away aborts the upstream within this time, and the reverse. */
const ABORT_DEADLINE_MS = 1_000;

const CHUNKED: readonly [string, string][] = [['Transfer-Encoding', 'chunked']];
const MIB = 1024 * 1024;

/** The last record of a request that the caller got no answer to: the upstream was told its id. */
async function recordsOfUpstreamRequest(t: HttpCaseTools) {
  return t.records(headerValue(t.received().headers, 'x-request-id') ?? '');
}

/** Section 7: bodies on their way. */
export const streamingCases: readonly HttpCase[] = [
  {
    name: 'passes a chunk of the answer on when it arrives',
    section: '7',
    run: async (t) => {
      const seen = gate();
      t.answer(async (_, reply) => {
        await reply.write(headOf(200, CHUNKED) + chunk('one'));
        await seen.opened;
        await reply.write(chunk('two') + LAST_CHUNK);
      });
      const connection = await t.connect();
      void connection.send(await t.request());
      const body = connection.body(await connection.head());
      assert.equal((await within(body.next(), 2_000, 'the first chunk'))?.toString(), 'one');
      seen.open();
      assert.equal((await body.rest()).toString(), 'two');
      assert.ok(body.complete);
    },
  },
  {
    name: 'passes the head of an answer on before its body',
    section: '7',
    run: async (t) => {
      t.answer(bytes(headOf(200, CHUNKED)));
      const connection = await t.connect();
      void connection.send(await t.request());
      assert.equal((await connection.head()).status, 200);
    },
  },
  {
    name: 'passes a chunk of an upload on when it arrives',
    section: '7',
    run: async (t) => {
      t.answer(echo);
      const connection = await t.connect();
      const head = (await t.request({ method: 'POST', headers: CHUNKED })).toString('latin1');
      void connection.send(head + chunk('one'));
      const request = await t.upstream.arrival(t.tag);
      await within(request.bodyReached(3), 2_000, 'the first chunk at the upstream');
      void connection.send(chunk('two') + LAST_CHUNK);
      assert.equal((await connection.response('POST')).body.toString(), 'onetwo');
    },
  },
  {
    name: 'passes part of an upload with a length on when it arrives',
    section: '7',
    run: async (t) => {
      t.answer(echo);
      const connection = await t.connect();
      const head = (await t.request({ method: 'PUT', headers: [['Content-Length', '6']] })).toString('latin1');
      void connection.send(`${head}one`);
      const request = await t.upstream.arrival(t.tag);
      await within(request.bodyReached(3), 2_000, 'the first part at the upstream');
      void connection.send('two');
      assert.equal((await connection.response('PUT')).body.toString(), 'onetwo');
    },
  },
  {
    name: 'passes a large body both ways unchanged',
    section: '7',
    run: async (t) => {
      t.answer(echo);
      const body = Buffer.alloc(3 * MIB);
      for (let index = 0; index < body.length; index += 1) body[index] = (index * 31 + (index >> 8)) & 0xff;
      const response = await t.send({ method: 'POST', body });
      await t.allowed(response);
      assert.ok(response.body.equals(body));
    },
  },
  {
    name: 'stops reading from the upstream while the caller does not read',
    section: '7',
    run: async (t) => {
      const total = 256 * MIB;
      let written = (): number => 0;
      t.answer(async (request, reply) => {
        written = () => reply.written;
        await download(total)(request, reply);
      });
      const connection = await t.connect();
      void connection.send(await t.request());
      await connection.head();
      let before = -1;
      for (let round = 0; round < 20 && written() !== before; round += 1) {
        before = written();
        await elapse(100);
      }
      assert.equal(written(), before, 'the upstream came to a halt');
      assert.ok(before < 64 * MIB, `${Math.round(before / MIB)} MiB were taken from the upstream`);
      connection.destroy();
      await within(t.received().closed, 2_000, 'the upstream connection to close');
    },
  },
  {
    name: 'stops reading from the caller while the upstream does not read',
    section: '7',
    run: async (t) => {
      t.answer((request) => {
        request.holdBody();
      });
      const total = 100 * MIB;
      const connection = await t.connect();
      await connection.send(await t.request({ method: 'PUT', headers: [['Content-Length', String(total)]] }));
      const piece = Buffer.alloc(256 * 1024, 'u');
      let sent = 0;
      const upload = async (): Promise<void> => {
        while (sent < total && (await connection.send(piece))) sent += piece.length;
      };
      void upload();
      let before = -1;
      for (let round = 0; round < 20 && sent !== before; round += 1) {
        before = sent;
        await elapse(100);
      }
      assert.equal(sent, before, 'the caller came to a halt');
      assert.ok(before < 64 * MIB, `${Math.round(before / MIB)} MiB were taken from the caller`);
    },
  },
  ...(
    [
      ['before the answer begins', silence, false],
      ['while it downloads', openStream('application/octet-stream'), true],
      ['while it listens to an event stream', openStream('text/event-stream'), true],
    ] as const
  ).map(
    ([what, upstreamAnswer, begun]): HttpCase => ({
      name: `aborts the upstream when the caller goes away ${what}`,
      section: '7',
      run: async (t) => {
        t.answer(upstreamAnswer);
        const connection = await t.connect();
        void connection.send(await t.request());
        const request = await t.upstream.arrival(t.tag);
        if (begun) await connection.body(await connection.head()).next();
        connection.destroy();
        await within(request.closed, ABORT_DEADLINE_MS, 'the upstream connection to close');
        const last = (await recordsOfUpstreamRequest(t)).at(-1);
        assert.equal(last?.outcome, 'client_aborted');
      },
    }),
  ),
  {
    name: 'aborts the upstream when the caller goes away while it uploads',
    section: '7',
    run: async (t) => {
      const connection = await t.connect();
      const head = (await t.request({ method: 'POST', headers: [['Content-Length', '1000']] })).toString('latin1');
      void connection.send(`${head}part`);
      const request = await t.upstream.arrival(t.tag);
      await request.bodyReached(4);
      connection.destroy();
      await within(request.closed, ABORT_DEADLINE_MS, 'the upstream connection to close');
      assert.equal(request.bodyComplete, false);
      assert.equal((await recordsOfUpstreamRequest(t)).at(-1)?.outcome, 'client_aborted');
    },
  },
  ...(
    [
      ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this'],
      ['in chunks', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('only this')}`],
      ['within a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nonly this'],
    ] as const
  ).flatMap(([what, text]) =>
    (['end', 'reset'] as const).map(
      (how): HttpCase => ({
        name: `cuts the answer ${what} where the upstream goes away (${how})`,
        section: '7',
        run: async (t) => {
          t.answer(async (_, reply) => {
            await reply.write(text);
            // A reset overtakes bytes that were not read yet, and an end those that a runtime keeps back with the head.
            await elapse(50);
            reply[how]();
          });
          const connection = await t.connect();
          void connection.send(await t.request());
          const head = await connection.head();
          const body = connection.body(head);
          assert.equal((await within(body.rest(), 2_000, 'the end')).toString(), 'only this');
          assert.equal(body.complete, false, 'a body that was cut does not end cleanly');
          const records = await t.records(head);
          assert.equal(records.at(-1)?.outcome, 'upstream_aborted');
        },
      }),
    ),
  ),
  {
    name: 'passes an answer that ends with its connection',
    section: '7',
    run: async (t) => {
      t.answer(async (_, reply) => {
        await reply.write('HTTP/1.1 200 OK\r\n\r\nuntil the end');
        reply.end();
      });
      const response = await t.send();
      await t.allowed(response);
      assert.equal(response.body.toString(), 'until the end');
    },
  },
];
