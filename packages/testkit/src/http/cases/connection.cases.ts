import assert from 'node:assert/strict';
import { answer, bytes, echo } from '../answers.js';
import type { HttpCase } from '../case.js';
import { elapse, gate } from '../deadline.js';
import { type HeaderField, headerValue, headerValues } from '../message.js';
import { chunk, LAST_CHUNK } from '../request-bytes.js';

/** Sections 2 and 7: several messages on one connection, interim responses, and answers without a body. */
export const connectionCases: readonly HttpCase[] = [
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
      const headers: HeaderField[] = [
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
      const headers: HeaderField[] = [
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
