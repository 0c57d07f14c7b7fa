import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { MAX_RESPONSE_HEADER_BYTES } from './connection.js';
import { onRequestHead, planTo, Recording, send, type TestUpstream, testUpstream } from './test-upstream.js';
import { undiciTransport } from './undici-transport.js';

const closing: { close(): Promise<void> }[] = [];

function closeLater<T extends { close(): Promise<void> }>(value: T): T {
  closing.push(value);
  return value;
}

async function answering(script: (socket: Socket) => void): Promise<TestUpstream> {
  return closeLater(await testUpstream((socket) => onRequestHead(socket, () => script(socket))));
}

afterEach(async () => {
  for (const value of closing.splice(0)) await value.close();
});

describe('a connection that ends early', () => {
  it.each([
    ['before the head', ''],
    ['within the declared length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'],
    ['within the declared length, closing', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhello'],
    ['within the chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
    ['within a chunk, closing', 'HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel'],
  ])('%s is a failure, not an end', async (_name, bytes) => {
    const { origin } = await answering((socket) => socket.end(bytes));
    const { events } = await send(closeLater(undiciTransport()), planTo(origin));
    expect(events.at(-1)).toBe('failure closed');
    expect(events).not.toContain('end');
  });

  it('within the head has begun an answer, so that nobody takes the request for one that never arrived', async () => {
    const { origin } = await answering((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-'));
    const { events } = await send(closeLater(undiciTransport()), planTo(origin));
    expect(events.at(-1)).toBe('failure invalid');
  });

  it("is a failure where it is reset, even if its end would have been the answer's", async () => {
    const { origin, sockets } = await answering((socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nhello'));
    const recording = new Recording();
    closeLater(undiciTransport()).dispatch(planTo(origin), null, recording);
    await recording.seen('chunk');
    sockets[0]!.resetAndDestroy();
    expect((await recording.over).events.at(-1)).toBe('failure closed');
  });
});

describe('an answer that is not valid HTTP', () => {
  it.each([
    ['garbage', 'SSH-2.0-OpenSSH_9.6\r\n\r\n'],
    ['a header line without a colon', 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 X\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\nX-A : 1\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a coding nobody offered', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['a head over the limit', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(MAX_RESPONSE_HEADER_BYTES)}\r\n\r\n`],
    ['a 100 nobody waits for', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['an upgrade nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
    ['a bare 101', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ])('such as %s is told as invalid, and its connection closed', async (_name, bytes) => {
    const { origin, sockets } = await answering((socket) => socket.write(bytes));
    const transport = closeLater(undiciTransport());
    const { events } = await send(transport, planTo(origin));
    expect(events).toEqual(['start', 'sent', 'failure invalid']);
    await send(transport, planTo(origin));
    expect(sockets.length).toBe(2);
  });

  it('is not a head just below the limit', async () => {
    const { origin } = await answering((socket) =>
      socket.write(`HTTP/1.1 204 No Content\r\nX: ${'x'.repeat(MAX_RESPONSE_HEADER_BYTES - 2)}\r\n\r\n`),
    );
    expect((await send(closeLater(undiciTransport()), planTo(origin))).events.at(-1)).toBe('end');
  });

  it('in its chunks is told as invalid after the head', async () => {
    const { origin } = await answering((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n'),
    );
    const { events } = await send(closeLater(undiciTransport()), planTo(origin));
    expect(events).toEqual(['start', 'sent', 'head', 'chunk', 'failure invalid']);
  });

  it('leaves none of its bytes in the cause', async () => {
    const { origin } = await answering((socket) => socket.write('sEcReT token\r\n\r\n'));
    const { failure } = await send(closeLater(undiciTransport()), planTo(origin));
    expect(inspect(failure, { depth: 5, showHidden: true })).not.toContain('sEcReT');
  });

  it('of any kind leads to exactly one last event', async () => {
    let bytes: Uint8Array = new Uint8Array();
    const { origin } = await answering((socket) => socket.end(bytes));
    const transport = closeLater(undiciTransport());
    const piece = fc.oneof(
      fc.constantFrom(
        'HTTP/1.1 200 OK',
        'HTTP/1.1 103 X',
        '\r\n',
        '\r\n\r\n',
        'Content-Length: 3',
        'Transfer-Encoding: chunked',
        '0',
      ),
      fc.string({ maxLength: 10, unit: 'binary-ascii' }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        bytes = Buffer.from(pieces.join(''), 'latin1');
        const { events } = await send(transport, planTo(origin));
        const last = events.filter((event) => event === 'end' || event.startsWith('failure'));
        expect(last).toEqual([events.at(-1)]);
      }),
      { numRuns: 150, interruptAfterTimeLimit: 1_500 },
    );
  });
});
