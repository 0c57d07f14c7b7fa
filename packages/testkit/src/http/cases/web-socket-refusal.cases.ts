import assert from 'node:assert/strict';
import type { ErrorCode } from '@caracal/core';
import { answer, bytes, headOf } from '../answers.js';
import type { CaseRequest, HttpCase, HttpCaseTools } from '../case.js';
import { gate, within } from '../deadline.js';
import { frameBytes, OPCODE } from '../frames.js';
import { type HeaderField, headerValue, headerValues } from '../message.js';
import { echoFrames, HANDSHAKE, handshakeWith, switching, webSocket } from '../web-socket.js';

const WS: CaseRequest = { resource: 'resource://ws', headers: HANDSHAKE };

/** Sends a handshake with a whole request right behind it; gives the answer to the first, and asserts that there is no other. */
async function onlyAnswer(t: HttpCaseTools, handshake: CaseRequest) {
  const connection = await t.connect();
  const smuggled = await t.request({ resource: 'resource://echo', target: '/smuggled' });
  void connection.send(Buffer.concat([await t.request({ ...WS, ...handshake }), smuggled]));
  const response = await connection.response();
  assert.equal((await connection.untilClosed()).length, 0, 'nothing stands behind the answer');
  const targets = t.upstream.requests(t.tag).map(({ target }) => target);
  assert.ok(!targets.some((target) => target.endsWith('/smuggled')), 'what stood behind a handshake is no request');
  return response;
}

function refused(what: string, section: string, error: ErrorCode, request: CaseRequest, status?: number): HttpCase {
  return {
    name: `refuses a WebSocket ${what}, and takes nothing behind it for a request`,
    section,
    run: async (t) => {
      t.answer(webSocket(echoFrames));
      const response = await onlyAnswer(t, request);
      await t.refused(response, {
        error,
        ...(status === undefined ? {} : { status }),
        ...(error === 'insufficient_scope' ? { scope: 'socket' } : {}),
        ...(error === 'invalid_request' ? { evidence: 'full' } : {}),
      });
      if (status === 426) assert.equal(headerValue(response.headers, 'sec-websocket-version'), '13');
    },
  };
}

/** A 101 that answers wrongly. */
function invalid(what: string, upstreamSays: (request: Parameters<typeof switching>[0]) => string): HttpCase {
  return {
    name: `takes no 101 from the upstream ${what}`,
    section: '7',
    run: async (t) => {
      t.answer(async (request, reply) => {
        request.takeOver();
        await reply.write(upstreamSays(request));
      });
      const response = await onlyAnswer(t, {});
      await t.refused(response, { error: 'upstream_invalid', contacted: true });
      await within(t.received().closed, 2_000, 'the upstream connection to close');
    },
  };
}

const HTTP2_UPGRADE: readonly HeaderField[] = [
  ['Connection', 'Upgrade, HTTP2-Settings'],
  ['Upgrade', 'h2c'],
  ['HTTP2-Settings', 'AAMAAABk'],
];

/** Section 2 row 8, section 7: WebSockets that do not come about. */
export const webSocketRefusalCases: readonly HttpCase[] = [
  refused('to a resource that does not say so', '2.8', 'upgrade_not_permitted', { resource: 'resource://echo' }),
  refused('without a mandate', '2.3', 'missing_token', { mandate: null }),
  refused('with a mandate that has expired', '2.4', 'invalid_token', { claims: { exp: 1 } }),
  refused('with a mandate for another resource', '2.7', 'resource_not_permitted', {
    claims: { target: ['resource://echo'] },
  }),
  refused('without the scope', '2.10', 'insufficient_scope', {
    resource: 'resource://ws-scoped',
    claims: { scope: 'other' },
  }),
  refused('by POST', '2.8', 'upgrade_not_permitted', { method: 'POST' }),
  refused('beside another protocol', '2.8', 'upgrade_not_permitted', {
    headers: handshakeWith('Upgrade', 'websocket, h2c'),
  }),
  refused(
    'of another version',
    '2.8',
    'invalid_request',
    { headers: handshakeWith('Sec-WebSocket-Version', '8') },
    426,
  ),
  refused('without a version', '2.8', 'invalid_request', { headers: handshakeWith('Sec-WebSocket-Version') }, 426),
  refused('without a key', '2.8', 'invalid_request', { headers: handshakeWith('Sec-WebSocket-Key') }, 400),
  refused(
    'with a key that is none',
    '2.8',
    'invalid_request',
    { headers: handshakeWith('Sec-WebSocket-Key', 'a') },
    400,
  ),
  refused(
    'with two keys',
    '2.8',
    'invalid_request',
    { headers: [...HANDSHAKE, ...HANDSHAKE.filter(([name]) => name === 'Sec-WebSocket-Key')] },
    400,
  ),
  {
    name: 'refuses a WebSocket with a body, and takes the body for no request',
    section: '2.8',
    run: async (t) => {
      const connection = await t.connect();
      const smuggled = await t.request({ target: '/smuggled' });
      void connection.send(await t.request({ ...WS, body: smuggled }));
      const response = await connection.response();
      await t.refused(response, { error: 'upgrade_not_permitted' });
      assert.equal((await connection.untilClosed()).length, 0);
      t.nothingReceived();
    },
  },
  ...([401, 403, 426, 200, 302] as const).map(
    (status): HttpCase => ({
      name: `relays ${status} to a WebSocket as an ordinary answer, and takes nothing behind the handshake for a request`,
      section: '7',
      run: async (t) => {
        t.answer(answer(status, [['X-Why', 'because']], 'no WebSocket'));
        const response = await onlyAnswer(t, {});
        await t.allowed(response, status);
        assert.equal(headerValue(response.headers, 'x-why'), 'because');
        assert.equal(response.body.toString(), 'no WebSocket');
        assert.deepEqual(
          headerValues(response.headers, 'connection').map((value) => value.toLowerCase()),
          ['close'],
        );
      },
    }),
  ),
  invalid('with a wrong accept value', (request) => switching(request).replace(/Accept: ./, 'Accept: !')),
  invalid('without an accept value', (request) => switching(request).replace(/Sec-WebSocket-Accept[^\n]*\n/, '')),
  invalid('with an extension nobody offered', (request) =>
    switching(request, [['Sec-WebSocket-Extensions', 'permessage-deflate']]),
  ),
  invalid('with a subprotocol nobody offered', (request) => switching(request, [['Sec-WebSocket-Protocol', 'chat']])),
  invalid('to another protocol', (request) => switching(request).replace('Upgrade: websocket', 'Upgrade: h2c')),
  invalid('that names no protocol', (request) => switching(request).replace('Upgrade: websocket\r\n', '')),
  invalid('that does not say so in Connection', (request) => switching(request).replace('Connection: Upgrade\r\n', '')),
  {
    name: 'answers that the upstream of a WebSocket cannot be reached',
    section: '2.21',
    run: async (t) => {
      const response = await onlyAnswer(t, { resource: 'resource://ws-closed' });
      await t.refused(response, { error: 'upstream_unreachable', contacted: true });
    },
  },
  {
    name: 'answers that the upstream of a WebSocket is silent',
    section: '2.21',
    run: async (t) => {
      t.answer(() => {});
      const response = await t.send({ ...WS, resource: 'resource://ws-impatient' });
      await t.refused(response, { error: 'upstream_timeout', contacted: true });
    },
  },
  {
    name: 'takes an answer of an upstream that closes before its 101 for none',
    section: '2.21',
    run: async (t) => {
      t.answer(async (_, reply) => {
        await reply.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n');
        reply.end();
      });
      const response = await t.send(WS);
      await t.refused(response, { error: 'upstream_invalid', contacted: true });
    },
  },
  {
    name: 'serves a request that asks for a WebSocket on HTTP/1.0 as if it had not asked',
    section: '7',
    run: async (t) => {
      await t.allowed(await t.send({ ...WS, version: 'HTTP/1.0' }));
      assert.deepEqual(headerValues(t.received().headers, 'upgrade'), []);
    },
  },
  {
    name: 'serves a request that asks for a WebSocket without Connection as if it had not asked',
    section: '7',
    run: async (t) => {
      await t.allowed(await t.send({ ...WS, headers: handshakeWith('Connection') }));
      assert.deepEqual(headerValues(t.received().headers, 'upgrade'), []);
    },
  },
  {
    name: 'serves a request that asks for HTTP/2 as if it had not asked, with its body',
    section: '7',
    run: async (t) => {
      const response = await t.send({ method: 'POST', headers: HTTP2_UPGRADE, body: 'a body' });
      await t.allowed(response);
      const { headers, body } = t.received();
      assert.equal(body.toString(), 'a body');
      for (const name of ['upgrade', 'http2-settings']) assert.deepEqual(headerValues(headers, name), [], name);
    },
  },
  {
    name: 'judges a request that asks for HTTP/2 like every other',
    section: '7',
    run: async (t) => {
      await t.refused(await t.send({ headers: HTTP2_UPGRADE, mandate: null }), { error: 'missing_token' });
    },
  },
  {
    name: 'answers no WebSocket in place of the request before it',
    section: '7',
    run: async (t) => {
      const hold = gate();
      t.answer(async (_, reply) => {
        await hold.opened;
        await bytes(`${headOf(200, [['Content-Length', '5']])}first`)(_, reply);
      });
      const connection = await t.connect();
      const first = await t.request({ target: '/first' });
      void connection.send(Buffer.concat([first, await t.request({ ...WS, target: '/second' })]));
      const came = (await connection.untilClosed()).toString('latin1');
      hold.open();
      assert.doesNotMatch(came, /101|HTTP\/1\.1 [2345].*HTTP\/1\.1/s);
      const targets = t.upstream.requests(t.tag).map(({ target }) => target);
      assert.ok(!targets.includes('/base/second'));
    },
  },
  {
    name: 'gives up a caller who sends much before its WebSocket is open',
    section: '7',
    run: async (t) => {
      t.answer(() => {});
      const connection = await t.connect();
      void connection.send(await t.request(WS));
      const request = await t.upstream.arrival(t.tag);
      const frame = frameBytes({ opcode: OPCODE.binary, payload: Buffer.alloc(1024 * 1024) }, true);
      void connection.send(frame);
      await within(request.closed, 3_000, 'the upstream connection to close');
      await connection.closed;
    },
  },
];
