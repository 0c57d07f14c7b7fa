import { once } from 'node:events';
import type { LookupFunction, Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { answer, onRequestHead, planTo, Recording, send, type TestUpstream, testUpstream } from './test-upstream.js';
import { undiciTransport } from './undici-transport.js';

const closing: { close(): Promise<void> }[] = [];

function closeLater<T extends { close(): Promise<void> }>(value: T): T {
  closing.push(value);
  return value;
}

async function upstream(script: (socket: Socket, number: number) => void): Promise<TestUpstream> {
  return closeLater(await testUpstream(script));
}

/** Some turns of the event loop: time enough for an event that should not come. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

afterEach(async () => {
  for (const value of closing.splice(0)) await value.close();
});

describe('abort', () => {
  it('right after dispatch leaves no trace', async () => {
    const { origin, sockets } = await upstream(() => {});
    const recording = new Recording();
    const attempt = closeLater(undiciTransport()).dispatch(planTo(origin), null, recording);
    attempt.abort();
    attempt.abort();
    await turns();
    expect(recording.events).toEqual([]);
    expect(sockets.length).toBe(0);
  });

  it('while the name is looked up makes no connection', async () => {
    const { port, sockets } = await upstream(() => {});
    const answers: (() => void)[] = [];
    const lookup: LookupFunction = (_name, _options, callback) => {
      answers.push(() => callback(null, [{ address: '127.0.0.1', family: 4 }]));
    };
    const recording = new Recording();
    const transport = closeLater(undiciTransport({ lookup, maxConnections: 1 }));
    const plan = planTo(`http://upstream.example:${port}`);
    const attempt = transport.dispatch(plan, null, recording);
    await vi.waitFor(() => expect(answers.length).toBe(1));
    attempt.abort();
    answers[0]!();
    await turns();
    expect(recording.events).toEqual([]);
    expect(sockets.length).toBe(0);
    // Its place is free again, too.
    const second = new Recording();
    transport.dispatch(plan, null, second);
    await vi.waitFor(() => expect(answers.length).toBe(2));
    answers[1]!();
    await second.seen('start');
  });

  it('while it waits in line gives up its place and touches no body', async () => {
    let free = (): void => {};
    const { origin } = await upstream((socket) =>
      onRequestHead(socket, (head) => {
        free = () => socket.write(answer('ok'));
        if (!head.includes(' /held ')) free();
      }),
    );
    const transport = closeLater(undiciTransport({ maxConnections: 1 }));
    const held = new Recording();
    transport.dispatch(planTo(origin, { target: '/held' }), null, held);
    await held.seen('sent');
    const body = new PassThrough();
    const waiting = new Recording();
    const attempt = transport.dispatch(planTo(origin, { method: 'POST', framing: 'chunked' }), body, waiting);
    const third = new Recording();
    transport.dispatch(planTo(origin), null, third);
    await turns();
    attempt.abort();
    await vi.waitFor(() => free());
    expect((await third.over).reused).toBe(true);
    expect(waiting.events).toEqual([]);
    expect([body.destroyed, body.readableFlowing]).toEqual([false, null]);
  });

  it('before the idle connection it was given is written to closes that and sends nothing', async () => {
    const { origin, sockets } = await upstream((socket) => onRequestHead(socket, () => socket.write(answer('ok'))));
    const transport = closeLater(undiciTransport());
    await send(transport, planTo(origin));
    const closed = once(sockets[0]!, 'close');
    const recording = new Recording();
    const attempt = transport.dispatch(planTo(origin), null, recording);
    await Promise.resolve().then(() => attempt.abort());
    await closed;
    expect(recording.events).toEqual([]);
  });

  it.each(['start', 'body'] as const)('from within the event %s closes the connection', async (event) => {
    const { origin, sockets } = await upstream((socket) => socket.resume());
    class Aborting extends Recording {
      override onStart(reused: boolean): void {
        super.onStart(reused);
        if (event === 'start') attempt.abort();
      }
      override onBodyBytes(count: number): void {
        super.onBodyBytes(count);
        attempt.abort();
      }
    }
    const recording = new Aborting();
    const body = new PassThrough();
    body.write('hello');
    const plan = planTo(origin, { method: 'POST', framing: 'chunked' });
    const attempt = closeLater(undiciTransport()).dispatch(plan, body, recording);
    await recording.seen(event);
    await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true));
    expect(recording.events).toEqual(event === 'start' ? ['start'] : ['start', 'body']);
    expect(body.destroyed).toBe(false);
  });

  it('amid the upload closes the connection and leaves the body alive', async () => {
    const { origin, sockets } = await upstream((socket) => socket.resume());
    const recording = new Recording();
    const body = new PassThrough();
    body.write('hello');
    const plan = planTo(origin, { method: 'POST', framing: 'chunked' });
    const attempt = closeLater(undiciTransport()).dispatch(plan, body, recording);
    await recording.seen('body');
    attempt.abort();
    await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true));
    await vi.waitFor(() => expect(body.isPaused()).toBe(true));
    body.write('more');
    await turns();
    expect(recording.events).toEqual(['start', 'body']);
    expect(body.destroyed).toBe(false);
  });

  it.each(['head', 'chunk'] as const)('from within the event %s ends everything', async (event) => {
    const { origin, sockets } = await upstream((socket) => {
      onRequestHead(socket, () => socket.write(answer('ok', '200 OK', 'Connection: close\r\n')));
    });
    class Aborting extends Recording {
      override onHead(status: number, headers: string[]): void {
        super.onHead(status, headers);
        if (event === 'head') attempt.abort();
      }
      override onChunk(chunk: Uint8Array): boolean {
        super.onChunk(chunk);
        attempt.abort();
        return true;
      }
    }
    const recording = new Aborting();
    const attempt = closeLater(undiciTransport()).dispatch(planTo(origin), null, recording);
    await recording.seen(event);
    await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true));
    expect(recording.events.at(-1)).toBe(event);
  });

  it('amid an answer that is paused closes the connection', async () => {
    const { origin, sockets } = await upstream((socket) => {
      onRequestHead(socket, () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'));
    });
    class Paused extends Recording {
      override onChunk(chunk: Uint8Array): boolean {
        super.onChunk(chunk);
        return false;
      }
    }
    const recording = new Paused();
    const transport = closeLater(undiciTransport());
    const attempt = transport.dispatch(planTo(origin), null, recording);
    await recording.seen('chunk');
    attempt.abort();
    attempt.resume();
    await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true));
    expect(recording.events).toEqual(['start', 'sent', 'head', 'chunk']);
    const next = new Recording();
    transport.dispatch(planTo(origin), null, next);
    await next.seen('chunk');
    expect(next.reused).toBe(false);
  });

  it('after the end does nothing, not even to the next user of the connection', async () => {
    const { origin } = await upstream((socket) => onRequestHead(socket, () => socket.write(answer('ok'))));
    const transport = closeLater(undiciTransport());
    const recording = new Recording();
    const attempt = transport.dispatch(planTo(origin), null, recording);
    await recording.over;
    const next = new Recording();
    transport.dispatch(planTo(origin), null, next);
    attempt.abort();
    attempt.resume();
    expect((await next.over).events).toEqual(['start', 'sent', 'head', 'chunk', 'end']);
    expect(next.reused).toBe(true);
  });
});
