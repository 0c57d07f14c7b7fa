import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  answer,
  onRequestHead,
  planTo,
  policy,
  Recording,
  send,
  serve,
  type TestUpstream,
  testUpstream,
} from './test-upstream.js';
import { undiciTransport } from './undici-transport.js';

const closing: { close(): Promise<void> }[] = [];

function closeLater<T extends { close(): Promise<void> }>(value: T): T {
  closing.push(value);
  return value;
}

async function upstream(...args: Parameters<typeof testUpstream>): Promise<TestUpstream> {
  return closeLater(await testUpstream(...args));
}

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const value of closing.splice(0)) await value.close();
});

describe('an exchange', () => {
  it('sends the method, the target byte for byte and the headers in order and case, and nothing else', async () => {
    let received = '';
    const { origin } = await upstream((socket) =>
      onRequestHead(socket, (head) => {
        received = head;
        socket.write(answer('ok'));
      }),
    );
    const target = '/a//b/%2F%2e;x=1/?q=\xff|[]{}"';
    const headers = ['X-B', '1', 'Host', 'upstream.example:99', 'x-a', '\xe9', 'X-B', '2'];
    const recording = await send(closeLater(undiciTransport()), planTo(origin, { target, headers }));
    expect(recording.body).toBe('ok');
    expect(received.split('\r\n')).toEqual([
      `GET ${target} HTTP/1.1`,
      'host: upstream.example:99',
      'connection: keep-alive',
      'X-B: 1',
      'x-a: \xe9',
      'X-B: 2',
      '',
      '',
    ]);
  });

  it('reports events in order and calls none of them before dispatch has returned', async () => {
    const { origin } = await upstream((socket) => onRequestHead(socket, () => socket.write(answer('ok'))));
    const transport = closeLater(undiciTransport());
    for (let i = 0; i < 2; i++) {
      const recording = new Recording();
      transport.dispatch(planTo(origin), null, recording);
      expect(recording.events).toEqual([]);
      await recording.over;
      expect(recording.events).toEqual(['start', 'sent', 'head', 'chunk', 'end']);
    }
  });

  it('keeps repeated response headers, their order, case and bytes', async () => {
    const { origin } = await upstream((socket) =>
      onRequestHead(socket, () =>
        socket.write(
          Buffer.from(
            'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nx-ODD: \xe9\xff\r\nEmpty:\r\nset-cookie: b=2\r\nContent-Length: 0\r\n\r\n',
            'latin1',
          ),
        ),
      ),
    );
    const { headers, chunks } = await send(closeLater(undiciTransport()), planTo(origin));
    expect(headers).toEqual([
      ...['Set-Cookie', 'a=1', 'x-ODD', '\xe9\xff', 'Empty', '', 'set-cookie', 'b=2', 'Content-Length', '0'],
    ]);
    expect(chunks).toEqual([]);
  });

  it('delivers interim responses before the head', async () => {
    const { origin } = await upstream((socket) =>
      onRequestHead(socket, () => {
        socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n');
        socket.write(answer('ok'));
      }),
    );
    const { events } = await send(closeLater(undiciTransport()), planTo(origin));
    expect(events).toEqual(['start', 'sent', 'interim 103 Link </a>', 'interim 102 ', 'head', 'chunk', 'end']);
  });

  it('has no body for HEAD, 204 and 304', async () => {
    const { origin } = await upstream((socket) =>
      onRequestHead(socket, (head) => {
        if (head.startsWith('HEAD')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n');
        else if (head.startsWith('GET /204')) socket.write('HTTP/1.1 204 No Content\r\n\r\n');
        else socket.write('HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n');
      }),
    );
    const transport = closeLater(undiciTransport());
    for (const changes of [{ method: 'HEAD' }, { target: '/204' }, { target: '/304' }]) {
      const { events } = await send(transport, planTo(origin, changes));
      expect(events).toEqual(['start', 'sent', 'head', 'end']);
    }
  });

  it('delivers an answer that ends with its connection, and drops trailers', async () => {
    const { origin } = await upstream((socket, number) =>
      onRequestHead(socket, () => {
        if (number === 0) socket.end('HTTP/1.0 200 OK\r\n\r\nuntil the end');
        else socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n');
      }),
    );
    const transport = closeLater(undiciTransport());
    expect((await send(transport, planTo(origin))).body).toBe('until the end');
    const chunked = await send(transport, planTo(origin));
    expect(chunked.body).toBe('ok');
    expect(chunked.headers).toEqual(['Transfer-Encoding', 'chunked']);
  });

  it('passes each chunk on when it arrives', async () => {
    let release = (): void => {};
    const { origin } = await upstream((socket) =>
      onRequestHead(socket, () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
        release = () => socket.end('data: 2\n\n');
      }),
    );
    const recording = new Recording();
    closeLater(undiciTransport()).dispatch(planTo(origin), null, recording);
    await recording.seen('chunk');
    expect(recording.body).toBe('data: 1\n\n');
    release();
    await recording.over;
    expect(recording.body).toBe('data: 1\n\ndata: 2\n\n');
  });

  it('goes to the upstream although proxies are in the environment', async () => {
    let proxied = 0;
    const proxy = await upstream(() => proxied++);
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy']) {
      vi.stubEnv(name, proxy.origin);
    }
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    const { origin } = await upstream((socket) => onRequestHead(socket, () => socket.write(answer('direct'))));
    expect((await send(closeLater(undiciTransport()), planTo(origin))).body).toBe('direct');
    expect(proxied).toBe(0);
  });

  it.each([
    ['CONNECT', { method: 'CONNECT' }],
    ['an absolute-form target', { target: 'http://elsewhere.example/' }],
    ['a line break in a header', { headers: ['Host', 'h', 'X', 'a\r\nX-Injected: 1'] }],
    ['a line break in the target', { target: '/ HTTP/1.1\r\nX-Injected: 1\r\n\r\n' }],
    ['a line break in the method', { method: 'GET / HTTP/1.1\r\nX-Injected: 1\r\n\r\nGET' }],
    ['a transfer coding of its own', { headers: ['Host', 'h', 'Transfer-Encoding', 'chunked'] }],
    ['two hosts', { headers: ['Host', 'h', 'Host', 'i'] }],
  ])('refuses a plan with %s before a byte is written', async (_name, changes) => {
    let bytes = 0;
    const { origin } = await upstream((socket) => socket.on('data', (chunk) => (bytes += chunk.length)));
    const transport = undiciTransport();
    const recording = await send(transport, planTo(origin, changes));
    await transport.close();
    expect(recording.events).toEqual(['failure invalid']);
    expect(bytes).toBe(0);
  });
});

describe('back-pressure', () => {
  const CHUNK = Buffer.alloc(64 * 1024, 'x');
  const TOTAL = 100 * 1024 * 1024;

  it('lets 100 MB through without holding more than a few of them', async () => {
    let produced = 0;
    const server = createServer((_request, response) => {
      const produce = (): void => {
        while (produced < TOTAL) {
          produced += CHUNK.length;
          if (!response.write(CHUNK)) {
            response.once('drain', produce);
            return;
          }
        }
        response.end();
      };
      produce();
    });
    const { origin } = closeLater(await serve(server, 'http', () => {}));
    let consumed = 0;
    let ahead = 0;
    class SlowReader extends Recording {
      override onChunk(chunk: Uint8Array): boolean {
        consumed += chunk.byteLength;
        ahead = Math.max(ahead, produced - consumed);
        setImmediate(() => attempt.resume());
        return false;
      }
    }
    const recording = new SlowReader();
    const attempt = closeLater(undiciTransport()).dispatch(planTo(origin), null, recording);
    await recording.over;
    expect(recording.failure).toBeUndefined();
    expect(consumed).toBe(TOTAL);
    // What stands between the two is the kernel's buffers and one of each stream's.
    expect(ahead).toBeLessThan(TOTAL / 4);
  });

  it('delivers nothing more until it is resumed, and forgets no resume from within a chunk', async () => {
    const { origin } = await upstream((socket) =>
      onRequestHead(socket, () => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        socket.write('1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n');
      }),
    );
    const transport = closeLater(undiciTransport());
    let delivered = 0;
    let paused: () => void = () => {};
    const pausing = new Promise<void>((resolve) => {
      paused = resolve;
    });
    class Paused extends Recording {
      override onChunk(): boolean {
        delivered++;
        paused();
        return false;
      }
    }
    const held = new Paused();
    const attempt = transport.dispatch(planTo(origin), null, held);
    await pausing;
    // Another whole exchange goes by, and more of this one is there to be delivered.
    class Eager extends Recording {
      override onChunk(chunk: Uint8Array): boolean {
        super.onChunk(chunk);
        eager.resume();
        return false;
      }
    }
    const other = new Eager();
    const eager = transport.dispatch(planTo(origin), null, other);
    expect((await other.over).body).toBe('abc');
    expect(delivered).toBe(1);
    expect(held.events).not.toContain('end');
    attempt.abort();
  });
});

describe('reuse', () => {
  it('tells whether the connection has served before', async () => {
    const { origin, sockets } = await upstream((socket) => onRequestHead(socket, () => socket.write(answer('ok'))));
    const transport = closeLater(undiciTransport());
    const first = await send(transport, planTo(origin));
    const second = await send(transport, planTo(origin));
    expect([first.reused, second.reused]).toEqual([false, true]);
    expect(sockets.length).toBe(1);
  });

  it.each([
    ['the upstream says close', {}, 'Connection: close\r\n'],
    ['the hint leaves no time', {}, 'Keep-Alive: timeout=1\r\n'],
    ['HEAD was asked', { method: 'HEAD' }, ''],
  ])('makes a new connection after %s', async (_name, changes, header) => {
    const { origin, sockets } = await upstream((socket) =>
      onRequestHead(socket, (head) => socket.write(answer(head.startsWith('HEAD') ? '' : 'ok', '200 OK', header))),
    );
    const transport = closeLater(undiciTransport());
    await send(transport, planTo(origin, changes));
    expect((await send(transport, planTo(origin, changes))).reused).toBe(false);
    expect(sockets.length).toBe(2);
  });

  it('moves to a new connection where the idle one has closed meanwhile, without a word', async () => {
    const { origin, sockets } = await upstream((socket) => onRequestHead(socket, () => socket.write(answer('ok'))));
    const transport = closeLater(undiciTransport());
    await send(transport, planTo(origin));
    sockets[0]!.destroy();
    // The end is on its way now, but the event loop has not polled again: the transport still takes it for open.
    await new Promise((resolve) => setImmediate(resolve));
    const second = await send(transport, planTo(origin));
    expect(second.events).toEqual(['start', 'sent', 'head', 'chunk', 'end']);
    expect(second.reused).toBe(false);
  });

  it('reports a reused connection that closed after the request was written', async () => {
    const { origin } = await upstream((socket) =>
      onRequestHead(socket, (_head, number) => (number === 0 ? socket.write(answer('ok')) : socket.destroy())),
    );
    const transport = closeLater(undiciTransport());
    await send(transport, planTo(origin));
    const second = await send(transport, planTo(origin));
    expect(second.reused).toBe(true);
    expect(second.events.at(-1)).toBe('failure closed');
  });

  it('never gives an answer nobody asked for to the next request', async () => {
    const { origin } = await upstream((socket, number) =>
      onRequestHead(socket, () => {
        socket.write(answer(`right ${number}`));
        if (number === 0) socket.write(answer('smuggled'));
      }),
    );
    const transport = closeLater(undiciTransport());
    expect((await send(transport, planTo(origin))).body).toBe('right 0');
    const second = await send(transport, planTo(origin));
    expect([second.body, second.reused]).toEqual(['right 1', false]);
  });

  it('shares no connection between unequal address policies', async () => {
    const { origin, sockets } = await upstream((socket) => onRequestHead(socket, () => socket.write(answer('ok'))));
    const transport = closeLater(undiciTransport());
    await send(transport, planTo(origin));
    const other = await send(transport, planTo(origin, { addressPolicy: policy([]) }));
    expect(other.events).toEqual(['failure address']);
    await send(transport, planTo(origin, { addressPolicy: policy(['127.0.0.1']) }));
    expect(sockets.length).toBe(2);
  });
});

describe('close', () => {
  it('fails what is under way, refuses what comes after, and can be repeated', async () => {
    const { origin, sockets } = await upstream((socket) => onRequestHead(socket, () => {}));
    const transport = undiciTransport();
    const recording = new Recording();
    transport.dispatch(planTo(origin), null, recording);
    await recording.seen('sent');
    await vi.waitFor(() => expect(sockets.length).toBe(1));
    const closed = once(sockets[0]!, 'close');
    await transport.close();
    await transport.close();
    await closed;
    expect((await recording.over).events).toEqual(['start', 'sent', 'failure closed']);
    expect((await send(transport, planTo(origin))).events).toEqual(['failure unreachable']);
  });
});
