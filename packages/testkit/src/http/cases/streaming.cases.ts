import assert from 'node:assert/strict';
import { answer, bytes, download, echo, headOf, openStream, silence } from '../answers.js';
import type { HttpCase, HttpCaseTools } from '../case.js';
import { elapse, gate, within } from '../deadline.js';
import { headerValue, headerValues } from '../message.js';
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
            // A reset overtakes bytes that were not read yet.
            if (how === 'reset') await elapse(50);
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
  {
    name: 'passes an answer that comes before the upload has ended',
    section: '7',
    run: async (t) => {
      t.answer(async (_, reply) => {
        await reply.write('HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\nConnection: close\r\n\r\ntoo large');
      });
      const connection = await t.connect();
      const head = (await t.request({ method: 'POST', headers: [['Content-Length', '1000000']] })).toString('latin1');
      void connection.send(head + 'u'.repeat(1_000));
      const response = await connection.response('POST');
      assert.equal(response.status, 413);
      assert.equal(headerValue(response.headers, 'x-caracal-error'), undefined);
      assert.equal(response.body.toString(), 'too large');
    },
  },
  {
    name: 'passes an early hint before the answer',
    section: '7',
    run: async (t) => {
      const seen = gate();
      t.answer(async (request, reply) => {
        await reply.write('HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n');
        await seen.opened;
        await answer(200)(request, reply);
      });
      const connection = await t.connect();
      void connection.send(await t.request());
      assert.equal(await connection.interim(), 103);
      seen.open();
      assert.equal((await connection.response()).status, 200);
    },
  },
  {
    name: 'takes 16 interim responses',
    section: '2.21',
    run: async (t) => {
      t.answer(bytes(`${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(16)}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`));
      await t.allowed(await t.send());
    },
  },
  {
    name: 'shows an HTTP/1.0 caller no interim response',
    section: '7',
    run: async (t) => {
      t.answer(bytes('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
      const response = await t.send({ version: 'HTTP/1.0' });
      assert.equal(response.status, 200);
      assert.deepEqual(response.interim, []);
    },
  },
  {
    name: 'sends an HTTP/1.0 caller no chunks',
    section: '7',
    run: async (t) => {
      t.answer(
        bytes(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('one')}${chunk('two')}${LAST_CHUNK}`),
      );
      const response = await t.send({ version: 'HTTP/1.0' });
      assert.deepEqual(headerValues(response.headers, 'transfer-encoding'), []);
      assert.equal(response.body.toString(), 'onetwo');
    },
  },
  {
    name: 'answers HEAD with the length and without a body',
    section: '7',
    run: async (t) => {
      t.answer(bytes('HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nETag: "e"\r\n\r\n'));
      const connection = await t.connect();
      void connection.send(await t.request({ method: 'HEAD' }));
      const response = await connection.response('HEAD');
      assert.deepEqual(headerValues(response.headers, 'content-length'), ['12345']);
      assert.equal(headerValue(response.headers, 'etag'), '"e"');
      void connection.send(await t.request());
      const next = await connection.head();
      assert.equal(next.status, 200, 'nothing of a body stood before the next answer');
    },
  },
  ...[204, 304].map(
    (status): HttpCase => ({
      name: `answers ${status} without a body and without chunks`,
      section: '7',
      run: async (t) => {
        t.answer(answer(status, [['ETag', '"e"']]));
        const response = await t.send();
        await t.allowed(response, status);
        assert.equal(response.body.length, 0);
        assert.deepEqual(headerValues(response.headers, 'transfer-encoding'), []);
        assert.equal(headerValue(response.headers, 'etag'), '"e"');
      },
    }),
  ),
  {
    name: 'judges every request on a connection by its own mandate',
    section: '2',
    run: async (t) => {
      const connection = await t.connect();
      const good = await t.request({ target: '/good' });
      const none = await t.request({ target: '/none', mandate: null });
      const wrong = await t.request({ target: '/wrong', claims: { exp: 1 } });
      const statuses: number[] = [];
      for (const request of [good, none, good, wrong, good]) {
        void connection.send(request);
        statuses.push((await connection.response()).status);
      }
      assert.deepEqual(statuses, [200, 401, 200, 401, 200]);
      assert.equal(t.upstream.requests(t.tag).length, 3);
    },
  },
  {
    name: 'judges every pipelined request by its own mandate and answers in order',
    section: '2',
    run: async (t) => {
      t.answer(async (request, reply) => {
        if (request.target.endsWith('slow')) await elapse(50);
        await answer(200, [['X-Target', request.target]])(request, reply);
      });
      const connection = await t.connect();
      const requests = [
        await t.request({ target: '/slow' }),
        await t.request({ target: '/none', mandate: null }),
        await t.request({ target: '/fast' }),
      ];
      void connection.send(Buffer.concat(requests));
      const answers = [await connection.response(), await connection.response(), await connection.response()];
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 401, 200],
      );
      assert.equal(headerValue(answers[0]!.headers, 'x-target'), '/base/slow');
      assert.equal(headerValue(answers[2]!.headers, 'x-target'), '/base/fast');
    },
  },
  {
    name: 'takes the body of a refused request for no request of its own',
    section: '2',
    run: async (t) => {
      const inner = await t.request({ target: '/inner' });
      const outer = await t.request({ method: 'POST', target: '/outer', mandate: null, body: inner });
      const connection = await t.connect();
      void connection.send(outer);
      assert.equal((await connection.response('POST')).status, 401);
      // A second answer could only be one to the inner request: what follows tells that none stands before it.
      void connection.send(await t.request({ target: '/next' }));
      const next = await connection.response().catch(() => undefined);
      const targets = t.upstream.requests(t.tag).map(({ target }) => target);
      assert.deepEqual(targets, next === undefined ? [] : ['/base/next']);
    },
  },
  {
    name: 'asks for a body that waits for 100-continue once the request is admitted',
    section: '7',
    run: async (t) => {
      t.answer(echo);
      const connection = await t.connect();
      const headers: [string, string][] = [
        ['Expect', '100-continue'],
        ['Content-Length', '5'],
      ];
      void connection.send(await t.request({ method: 'POST', headers }));
      assert.equal(await connection.interim(), 100);
      void connection.send('hello');
      const response = await connection.response('POST');
      assert.equal(response.body.toString(), 'hello');
      assert.deepEqual(headerValues(t.received().headers, 'expect'), []);
    },
  },
  {
    name: 'asks for no body that waits for 100-continue where it refuses',
    section: '7',
    run: async (t) => {
      const connection = await t.connect();
      const headers: [string, string][] = [
        ['Expect', '100-continue'],
        ['Content-Length', '5'],
      ];
      void connection.send(await t.request({ method: 'POST', headers, mandate: null }));
      const response = await connection.response('POST');
      assert.deepEqual(response.interim, []);
      await t.refused(response, { error: 'missing_token' });
    },
  },
];
