import assert from 'node:assert/strict';
import type { HttpCase } from '../case.js';
import { elapse, gate, within } from '../deadline.js';
import { type Frame, frameBytes, OPCODE } from '../frames.js';
import { headerValue, headerValues } from '../message.js';
import { echoFrames, HANDSHAKE, WEBSOCKET_KEY, webSocket } from '../web-socket.js';
import { CREDENTIALS } from '../world.js';

const MIB = 1024 * 1024;

/** A case whose upstream sends back every frame. */
function echoed(name: string, run: HttpCase['run']): HttpCase {
  return {
    name,
    section: '7',
    run: async (t) => {
      t.answer(webSocket(echoFrames));
      await run(t);
    },
  };
}

/** Section 7: WebSockets that were admitted. */
export const webSocketCases: readonly HttpCase[] = [
  echoed('carries a WebSocket both ways, byte for byte, and records what it carried', async (t) => {
    const { head, peer, connection } = await t.webSocket();
    assert.deepEqual(headerValues(head.headers, 'upgrade'), ['websocket']);
    assert.deepEqual(
      headerValues(head.headers, 'connection').map((value) => value.toLowerCase()),
      ['upgrade'],
    );
    await peer.text('hello');
    const reply = await peer.next();
    assert.equal(reply.text, 'hello');
    assert.equal(reply.masked, false);
    await peer.close(4001, 'bye');
    assert.deepEqual(await peer.closing(), { code: 4001, reason: 'bye', masked: false });
    assert.equal((await peer.rest()).length, 0);
    connection.end();
    await within(t.received().closed, 2_000, 'the upstream connection to close');
    const [authorized, completed, ...others] = await t.records(head);
    assert.equal(others.length, 0);
    assert.deepEqual([authorized?.type, authorized?.decision], ['request.authorized', 'allowed']);
    const { outcome, status, requestBytes, responseBytes } = completed!;
    assert.deepEqual([outcome, status], ['executed', 101]);
    // Both directions hold the same frames; a mask is four bytes more.
    assert.deepEqual([requestBytes, responseBytes], [peer.sent, peer.sent - 8]);
  }),
  {
    name: 'passes frames with the mask they came with',
    section: '7',
    run: async (t) => {
      const seen: Frame[] = [];
      const arrived = gate();
      t.answer(
        webSocket(async (peer) => {
          seen.push(await peer.next());
          arrived.open();
        }),
      );
      const { peer } = await t.webSocket();
      const sent = await peer.send({ opcode: OPCODE.binary, payload: 'as it is' });
      await within(arrived.opened, 3_000, 'the frame');
      assert.ok(seen[0]!.bytes.equals(sent));
    },
  },
  {
    name: 'asks the upstream for the WebSocket with its own credential, and with nothing that is not the caller to say',
    section: '5',
    run: async (t) => {
      t.answer(webSocket(echoFrames));
      const { peer } = await t.webSocket({
        resource: 'resource://ws-key',
        target: '/feed?x=1',
        headers: [
          ['X-Api-Key', 'forged'],
          ['X-Forwarded-For', '192.0.2.1'],
          ['Cookie', 'a=b'],
          ['Sec-WebSocket-Protocol', 'chat'],
          ['Origin', 'https://page.test'],
          ['X-Own', 'passes'],
        ],
      });
      await peer.text('x');
      await peer.next();
      const { method, target, version, headers } = t.received();
      assert.deepEqual([method, target, version], ['GET', '/feed?x=1', 'HTTP/1.1']);
      const values = (name: string) => headerValues(headers, name);
      assert.deepEqual(values('x-api-key'), [CREDENTIALS.header]);
      for (const gone of ['authorization', 'x-caracal-resource', 'x-forwarded-for', 'cookie']) {
        assert.deepEqual(values(gone), [], gone);
      }
      assert.deepEqual(values('upgrade'), ['websocket']);
      assert.deepEqual(
        values('connection').map((value) => value.toLowerCase()),
        ['upgrade'],
      );
      assert.deepEqual(values('sec-websocket-key'), [WEBSOCKET_KEY]);
      assert.deepEqual(values('sec-websocket-version'), ['13']);
      assert.deepEqual(values('sec-websocket-protocol'), ['chat']);
      assert.deepEqual([values('origin'), values('x-own')], [['https://page.test'], ['passes']]);
    },
  },
  {
    name: 'passes the subprotocol and the extension the upstream chose, and compressed frames as they are',
    section: '7',
    run: async (t) => {
      const chosen = [
        ['Sec-WebSocket-Protocol', 'v2'],
        ['Sec-WebSocket-Extensions', 'permessage-deflate; server_no_context_takeover'],
        ['Server', 'hidden'],
      ] as const;
      t.answer(webSocket(echoFrames, { headers: chosen }));
      const { head, peer } = await t.webSocket({
        headers: [
          ['Sec-WebSocket-Protocol', 'v1, v2'],
          ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits'],
        ],
      });
      assert.equal(headerValue(head.headers, 'sec-websocket-protocol'), 'v2');
      assert.equal(headerValue(head.headers, 'sec-websocket-extensions'), chosen[1][1]);
      assert.deepEqual(headerValues(head.headers, 'server'), []);
      await peer.send({ opcode: OPCODE.text, rsv1: true, payload: new Uint8Array([0xf2, 0x48, 0xcd, 0, 0]) });
      assert.equal((await peer.next()).rsv1, true);
    },
  },
  echoed('carries fragments with a ping between them, however the bytes are cut', async (t) => {
    const { peer } = await t.webSocket();
    const parts = [
      { opcode: OPCODE.text, final: false, payload: 'one ' },
      { opcode: OPCODE.ping, payload: 'ping' },
      { opcode: OPCODE.continuation, final: true, payload: 'two' },
    ];
    const bytes = Buffer.concat(parts.map((part) => frameBytes(part, true)));
    for (const byte of bytes) await peer.raw(Buffer.from([byte]));
    const frames = [await peer.next(), await peer.next(), await peer.next()];
    assert.deepEqual(
      frames.map(({ opcode, final, text }) => ({ opcode, final, payload: text })),
      [parts[0], { ...parts[1], final: true }, parts[2]],
    );
  }),
  ...[
    ['126 bytes', 126, 2],
    ['65,535 bytes', 65_535, 2],
    ['65,536 bytes', 65_536, 8],
    ['5 bytes with its length in eight', 5, 8],
  ].map(([what, length, lengthBytes]) =>
    echoed(`carries a frame of ${what}`, async (t) => {
      const { peer } = await t.webSocket();
      await peer.send({
        opcode: OPCODE.binary,
        payload: Buffer.alloc(length as number, 'l'),
        lengthBytes: lengthBytes as 2 | 8,
      });
      const { payload, opcode } = await peer.next();
      assert.ok(payload.equals(Buffer.alloc(length as number, 'l')));
      assert.equal(opcode, OPCODE.binary);
    }),
  ),
  echoed('keeps what the caller sends with its request', async (t) => {
    const connection = await t.connect();
    const early = frameBytes({ opcode: OPCODE.text, payload: 'early' }, true);
    const request = await t.request({ resource: 'resource://ws', headers: HANDSHAKE });
    void connection.send(Buffer.concat([request, early]));
    assert.equal((await connection.head()).status, 101);
    const peer = connection.frames();
    await peer.text('later');
    assert.deepEqual([(await peer.next()).text, (await peer.next()).text], ['early', 'later']);
  }),
  {
    name: 'keeps what the upstream sends with its 101',
    section: '7',
    run: async (t) => {
      const behind = frameBytes({ opcode: OPCODE.text, payload: 'first' }, false);
      t.answer(webSocket(async (peer) => void (await peer.text('second')), { behind }));
      const { peer } = await t.webSocket();
      assert.deepEqual([(await peer.next()).text, (await peer.next()).text], ['first', 'second']);
    },
  },
  echoed('opens a WebSocket on a connection that has carried a request', async (t) => {
    const connection = await t.connect();
    void connection.send(await t.request({ resource: 'resource://private', target: '/first' }));
    assert.equal((await connection.response()).status, 502);
    void connection.send(await t.request({ resource: 'resource://ws', headers: HANDSHAKE }));
    assert.equal((await connection.head()).status, 101);
    const peer = connection.frames();
    await peer.text('x');
    assert.equal((await peer.next()).text, 'x');
  }),
  echoed('carries a WebSocket of a mandate for one use, once', async (t) => {
    const mandate = await t.mandate({ target: ['resource://ws-once'] });
    const { peer } = await t.webSocket({ resource: 'resource://ws-once', mandate });
    await peer.text('x');
    assert.equal((await peer.next()).text, 'x');
    const again = await t.send({ resource: 'resource://ws-once', mandate, headers: HANDSHAKE });
    assert.equal(headerValue(again.headers, 'x-caracal-error'), 'token_replayed');
    t.received();
  }),
  {
    name: 'stops reading from the upstream while the caller of a WebSocket does not read',
    section: '7',
    run: async (t) => {
      let written = (): number => 0;
      const total = 256 * MIB;
      t.answer(
        webSocket(async (peer, reply) => {
          written = () => reply.written;
          const piece = frameBytes({ opcode: OPCODE.binary, payload: Buffer.alloc(MIB) }, false);
          for (let sent = 0; sent < total; sent += MIB) if (!(await peer.raw(piece))) return;
        }),
      );
      const { connection } = await t.webSocket();
      const before = await halted(() => written());
      assert.ok(before < 64 * MIB, `${Math.round(before / MIB)} MiB were taken from the upstream`);
      connection.reset();
      await within(t.received().closed, 2_000, 'the upstream connection to close');
    },
  },
  {
    name: 'stops reading from the caller while the upstream of a WebSocket does not read, and goes on with it',
    section: '7',
    run: async (t) => {
      const reading = gate();
      const total = 48;
      const done = gate();
      t.answer(
        webSocket(async (peer) => {
          await reading.opened;
          for (let count = 0; count < total; count += 1) assert.equal((await peer.next()).payload.length, MIB);
          await peer.text('all of it');
          done.open();
        }),
      );
      const { peer } = await t.webSocket();
      let sent = 0;
      const sending = (async () => {
        for (let count = 0; count < total; count += 1) {
          await peer.send({ opcode: OPCODE.binary, payload: Buffer.alloc(MIB) });
          sent += 1;
        }
      })();
      assert.ok((await halted(() => sent)) < total, 'the caller came to a halt');
      reading.open();
      await within(sending, 6_000, 'the caller to go on');
      assert.equal((await peer.next()).text, 'all of it');
    },
  },
];

/** Waits until a number grows no more; gives it. */
async function halted(read: () => number): Promise<number> {
  let before = -1;
  for (let round = 0; round < 20 && read() !== before; round += 1) {
    before = read();
    await elapse(100);
  }
  assert.equal(read(), before, 'it came to a halt');
  return before;
}
