import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  answer,
  onRequestHead,
  planTo,
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

/** An upstream that answers once the bytes received end with `last`, and what it has received. */
async function collector(last: string): Promise<{ origin: string; received: () => string }> {
  let text = '';
  const { origin } = await upstream((socket) =>
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.endsWith(last)) socket.write(answer('ok'));
    }),
  );
  return { origin, received: () => text };
}

const host = (origin: string): string => new URL(origin).host;

function lengthPlan(origin: string, method: string, length: number) {
  const headers = ['Host', host(origin), 'Content-Length', String(length)];
  return planTo(origin, { method, headers, framing: 'length' });
}

afterEach(async () => {
  for (const value of closing.splice(0)) await value.close();
});

describe('framing', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'GET', 'OPTIONS', 'REPORT'])(
    'sends the body of a %s with the length it declares',
    async (method) => {
      const { origin, received } = await collector('hello');
      const recording = await send(
        closeLater(undiciTransport()),
        lengthPlan(origin, method, 5),
        Readable.from([Buffer.from('hel'), Buffer.from('lo')]),
      );
      expect(recording.events).toEqual(['start', 'body', 'sent', 'head', 'chunk', 'end']);
      expect(recording.sentBytes).toBe(5);
      expect(received()).toBe(
        `${method} / HTTP/1.1\r\nhost: ${host(origin)}\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello`,
      );
    },
  );

  it.each(['POST', 'DELETE', 'GET'])(
    'sends the body of a %s in chunks where its length is not known',
    async (method) => {
      const { origin, received } = await collector('0\r\n\r\n');
      const body = Readable.from([Buffer.from('hel'), Buffer.from('lo')]);
      await send(closeLater(undiciTransport()), planTo(origin, { method, framing: 'chunked' }), body);
      expect(received()).toBe(
        `${method} / HTTP/1.1\r\nhost: ${host(origin)}\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n`,
      );
    },
  );

  it.each(['length', 'none'] as const)('says that a POST has no body (framing %s)', async (framing) => {
    const { origin, received } = await collector('\r\n\r\n');
    const plan = { ...lengthPlan(origin, 'POST', 0), framing };
    const { events } = await send(closeLater(undiciTransport()), plan, Readable.from([]));
    expect(events).toEqual(['start', 'sent', 'head', 'chunk', 'end']);
    expect(received()).toContain('\r\ncontent-length: 0\r\n\r\n');
  });

  it('sends an empty chunked body as no body', async () => {
    const { origin, received } = await collector('\r\n\r\n');
    const plan = planTo(origin, { method: 'POST', framing: 'chunked' });
    await send(closeLater(undiciTransport()), plan, Readable.from([]));
    expect(received()).toContain('\r\ncontent-length: 0\r\n\r\n');
  });

  it.each([
    ['too short', 6, 'hello'],
    ['too long', 4, 'hello'],
  ])('breaks off a body that is %s for its length', async (_name, length, text) => {
    const { origin, sockets } = await upstream((socket) => socket.resume());
    const recording = await send(
      closeLater(undiciTransport()),
      lengthPlan(origin, 'POST', length),
      Readable.from([Buffer.from(text)]),
    );
    expect(recording.events.at(-1)).toBe('failure body');
    expect(recording.events).not.toContain('sent');
    await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true));
  });

  it.each([
    ['both framings', 'chunked', ['Content-Length', '5']],
    ['two lengths', 'length', ['Content-Length', '5', 'content-length', '5']],
    ['no length', 'length', []],
  ] as const)('refuses a plan with %s', async (_name, framing, headers) => {
    const plan = planTo('http://127.0.0.1:1', { method: 'POST', framing, headers: ['Host', 'h', ...headers] });
    const recording = await send(closeLater(undiciTransport()), plan, Readable.from([Buffer.from('hello')]));
    expect(recording.events).toEqual(['failure invalid']);
  });

  it('does not send a head whose body is missing', async () => {
    const { events } = await send(closeLater(undiciTransport()), lengthPlan('http://127.0.0.1:1', 'POST', 5));
    expect(events).toEqual(['failure body']);
  });
});

describe('the body', () => {
  it('is taken only as fast as the upstream takes it', async () => {
    const { origin, sockets } = await upstream((socket) => socket.pause());
    const total = 100 * 1024 * 1024;
    let produced = 0;
    const body = new Readable({
      read(size) {
        produced += size;
        this.push(produced > total ? null : Buffer.alloc(size));
      },
    });
    const recording = new Recording();
    const plan = planTo(origin, { method: 'POST', framing: 'chunked' });
    closeLater(undiciTransport()).dispatch(plan, body, recording);
    await recording.seen('body');
    await vi.waitFor(() => expect(body.isPaused()).toBe(true));
    expect(produced).toBeLessThan(total / 2);
    sockets[0]!.on('data', (chunk) => {
      if (chunk.toString('latin1').endsWith('\r\n0\r\n\r\n')) sockets[0]!.write(answer('ok'));
    });
    sockets[0]!.resume();
    expect((await recording.over).body).toBe('ok');
    expect(recording.sentBytes).toBe(total);
  });

  it('is not touched while no connection could be had, and can be sent again', async () => {
    const gone = await testUpstream(() => {});
    await gone.close();
    const body = new PassThrough();
    const transport = closeLater(undiciTransport());
    const first = await send(transport, lengthPlan(gone.origin, 'POST', 5), body);
    expect(first.events).toEqual(['failure unreachable']);
    expect([body.destroyed, body.readableFlowing, body.listenerCount('error')]).toEqual([false, null, 0]);
    body.end('hello');
    const { origin, received } = await collector('hello');
    expect((await send(transport, lengthPlan(origin, 'POST', 5), body)).body).toBe('ok');
    expect(received()).toContain('hello');
  });

  it('is whole for the next connection where the idle one had closed', async () => {
    let received = '';
    const { origin, sockets } = await upstream((socket, number) => {
      if (number === 0) onRequestHead(socket, () => socket.write(answer('ok')));
      else
        socket.on('data', (chunk) => {
          received += chunk.toString('latin1');
          if (received.endsWith('hello')) socket.write(answer('ok'));
        });
    });
    const transport = closeLater(undiciTransport());
    await send(transport, planTo(origin));
    sockets[0]!.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    const second = await send(transport, lengthPlan(origin, 'POST', 5), Readable.from([Buffer.from('hello')]));
    expect(second.events).toEqual(['start', 'body', 'sent', 'head', 'chunk', 'end']);
  });

  it.each([
    ['fails', (body: PassThrough) => body.destroy(new Error('the caller failed'))],
    ['ends early', (body: PassThrough) => body.destroy()],
  ])('that %s is told apart from a connection that does', async (_name, end) => {
    const { origin, sockets } = await upstream((socket) => socket.resume());
    const body = new PassThrough();
    const recording = new Recording();
    closeLater(undiciTransport()).dispatch(lengthPlan(origin, 'POST', 10), body, recording);
    body.write('hello');
    await recording.seen('body');
    await vi.waitFor(() => expect(sockets.length).toBe(1));
    const closed = once(sockets[0]!, 'close');
    end(body);
    expect((await recording.over).events).toEqual(['start', 'body', 'failure body']);
    await closed;
  });
});

describe('an answer before the whole body', () => {
  it('is delivered, and the body is left paused and alive', async () => {
    const { origin } = await upstream((socket) =>
      socket.once('data', () => socket.write(answer('too large', '413 Content Too Large'))),
    );
    const body = new PassThrough();
    body.write('hello');
    const transport = closeLater(undiciTransport());
    const recording = await send(transport, lengthPlan(origin, 'POST', 10_000), body);
    expect([recording.status, recording.body]).toEqual([413, 'too large']);
    expect(recording.events).toEqual(['start', 'body', 'head', 'chunk', 'end']);
    await vi.waitFor(() => expect(body.isPaused()).toBe(true));
    expect(body.destroyed).toBe(false);
    expect((await send(transport, planTo(origin))).reused).toBe(false);
  });

  it('does not stop the upload while the answer goes on', async () => {
    let received = '';
    const { origin } = await upstream((socket) =>
      socket.on('data', (chunk) => {
        const before = received;
        received += chunk.toString('latin1');
        if (before === '') socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        if (received.endsWith('0\r\n\r\n')) socket.write('2\r\nok\r\n0\r\n\r\n');
      }),
    );
    const body = new PassThrough();
    body.write('hello');
    const recording = new Recording();
    closeLater(undiciTransport()).dispatch(planTo(origin, { method: 'POST', framing: 'chunked' }), body, recording);
    await recording.seen('head');
    body.end('world');
    await recording.over;
    expect(recording.events).toEqual(['start', 'body', 'head', 'body', 'sent', 'chunk', 'end']);
    expect(received).toContain('world');
  });

  it('reaches a caller whose request is an IncomingMessage', async () => {
    const { origin } = await upstream((socket) =>
      socket.once('data', () => socket.write(answer('too large', '413 Content Too Large'))),
    );
    const transport = closeLater(undiciTransport());
    const gateway = createServer(async (incoming: IncomingMessage, response) => {
      const recording = await send(transport, lengthPlan(origin, 'POST', 10_000), incoming);
      expect(incoming.socket.destroyed).toBe(false);
      response.writeHead(recording.status!, { Connection: 'close' }).end(recording.body);
    });
    const front = closeLater(await serve(gateway, 'http', () => {}));
    const call = httpRequest(front.origin, { method: 'POST', headers: { 'Content-Length': '10000' } });
    call.on('error', () => {}); // The rest of the upload meets a closed connection, once the answer is here.
    call.write('hello');
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(413);
    response.resume();
    call.destroy();
  });
});
