import assert from 'node:assert/strict';
import { addressPolicy, type Outbound, type OutboundRequest } from '@caracal/core';
import { type Answer, type RecordingUpstream, startUpstream, TAG_HEADER } from '../upstream.js';
import { type PortCase, portCase } from './port-case.js';

const LOOPBACK = addressPolicy(['127.0.0.0/8']);
const MAX_BYTES = 1_024;

interface OutboundTrial {
  readonly store: Outbound;
  readonly upstream: RecordingUpstream;
  /** A request to the upstream, answered as `answer` does where one is given. */
  request(path: string, answer?: Answer, changes?: Partial<OutboundRequest>): OutboundRequest;
}

function outboundCase(name: string, body: (trial: OutboundTrial) => Promise<void>): PortCase<Outbound> {
  return portCase(name, async ({ store }) => {
    const upstream = await startUpstream();
    try {
      await body({
        store,
        upstream,
        request: (path, answer, { headers = [], ...changes } = {}) => {
          if (answer !== undefined) upstream.answer(path, answer);
          return {
            method: 'GET',
            url: `${upstream.origin}${path}`,
            headers: [TAG_HEADER, path, ...headers],
            body: undefined,
            timeoutMs: 5_000,
            maxBytes: MAX_BYTES,
            addressPolicy: LOOPBACK,
            ...changes,
          };
        },
      });
      assert.deepEqual(upstream.faults, []);
    } finally {
      await upstream.close();
    }
  });
}

function answering(status: string, body: string, fields = ''): Answer {
  return async (request, reply) => {
    await request.bodyEnded;
    await reply.write(`HTTP/1.1 ${status}\r\n${fields}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`);
    await reply.write(Buffer.from(body));
  };
}

/** The bytes, and then nothing more: the connection stays open. */
function stalling(bytes: string): Answer {
  return async (_request, reply) => {
    await reply.write(bytes);
  };
}

/** What every {@link Outbound} has to do. Its upstream is on 127.0.0.1, over plain HTTP. */
export const outboundCases: readonly PortCase<Outbound>[] = [
  outboundCase('sends method, target, headers and body, and hands over status, headers and body', async (trial) => {
    const answer = answering('201 Created', '{"a":"é"}', 'X-Answer: 1\r\n');
    const request = trial.request('/token?a=%20b', answer, {
      method: 'POST',
      headers: ['Content-Type', 'application/x-www-form-urlencoded', 'X-Sent', 'one'],
      body: 'grant=é',
    });
    const { status, headers, body } = await trial.store.fetch(request);
    assert.deepEqual([status, new TextDecoder().decode(body)], [201, '{"a":"é"}']);
    assert.equal(headers[headers.findIndex((text) => text.toLowerCase() === 'x-answer') + 1], '1');
    const arrived = await trial.upstream.arrival('/token?a=%20b');
    assert.deepEqual([arrived.method, arrived.target, arrived.body.toString()], ['POST', '/token?a=%20b', 'grant=é']);
    const sent = new Map(arrived.headers.map(([name, value]) => [name.toLowerCase(), value]));
    assert.equal(sent.get('content-type'), 'application/x-www-form-urlencoded');
    assert.equal(sent.get('x-sent'), 'one');
  }),

  ...['301 Moved Permanently', '302 Found', '307 Temporary Redirect'].map((status) =>
    outboundCase(`hands over ${status} and follows it nowhere`, async ({ store, upstream, request }) => {
      const location = `Location: ${upstream.origin}/followed\r\n`;
      const answer = await store.fetch(request('/moved', answering(status, '', location)));
      assert.equal(answer.status, Number(status.slice(0, 3)));
      assert.equal(upstream.requests('/moved').length, 1);
      assert.equal(upstream.untagged.length, 0);
    }),
  ),

  outboundCase('hands over the status of an error, for it is an answer', async ({ store, request }) => {
    for (const status of ['404 Not Found', '503 Service Unavailable']) {
      const answer = await store.fetch(request(`/${status.slice(0, 3)}`, answering(status, 'no')));
      assert.deepEqual([answer.status, answer.body.byteLength], [Number(status.slice(0, 3)), 2]);
    }
  }),

  outboundCase('takes a body of exactly the limit and throws for one byte more', async ({ store, request }) => {
    const fits = await store.fetch(request('/fits', answering('200 OK', 'x'.repeat(MAX_BYTES))));
    assert.equal(fits.body.byteLength, MAX_BYTES);
    await assert.rejects(store.fetch(request('/declared', answering('200 OK', 'x'.repeat(MAX_BYTES + 1)))));
    // Where no length is declared, only counting tells; and the end never comes.
    const chunk = `${(MAX_BYTES + 1).toString(16)}\r\n${'x'.repeat(MAX_BYTES + 1)}\r\n`;
    const endless = stalling(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`);
    await assert.rejects(store.fetch(request('/counted', endless)));
  }),

  ...Object.entries({
    'that never comes': '',
    'whose head does not end': 'HTTP/1.1 200 OK\r\nX-A:',
    'whose body does not end': 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello',
  }).map(([which, bytes]) =>
    outboundCase(`throws at the deadline for an answer ${which}`, async ({ store, request }) => {
      await assert.rejects(store.fetch(request('/late', stalling(bytes), { timeoutMs: 100 })));
    }),
  ),

  outboundCase('throws for a body that is broken off', async ({ store, request }) => {
    const broken: Answer = async (_request, reply) => {
      await reply.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
      reply.end();
    };
    await assert.rejects(store.fetch(request('/broken', broken)));
  }),

  outboundCase('reaches no address that the policy does not allow', async ({ store, upstream, request }) => {
    const { port } = upstream;
    for (const host of ['127.0.0.1', 'localhost']) {
      const url = `http://${host}:${port}/refused`;
      await assert.rejects(store.fetch(request('/refused', undefined, { url, addressPolicy: addressPolicy(false) })));
    }
    // A connection made where it was allowed is no way around the policy either.
    assert.equal((await store.fetch(request('/allowed'))).status, 200);
    await assert.rejects(store.fetch(request('/refused', undefined, { addressPolicy: addressPolicy(false) })));
    assert.equal(upstream.requests('/refused').length, 0);
  }),

  outboundCase('answers each of many concurrent requests with its own document', async ({ store, request }) => {
    const paths = Array.from({ length: 20 }, (_, index) => `/${index}`);
    const answers = await Promise.all(paths.map((path) => store.fetch(request(path, answering('200 OK', path)))));
    assert.deepEqual(
      answers.map(({ body }) => new TextDecoder().decode(body)),
      paths,
    );
  }),
];
