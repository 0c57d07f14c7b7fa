import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { RawConnection } from './client.js';
import { chunk, LAST_CHUNK } from './request-bytes.js';

let server: Server | undefined;

/** A server that writes these pieces, each on its own, and then does `last`. */
async function answering(pieces: readonly string[], last: (socket: Socket) => void = () => {}): Promise<RawConnection> {
  const started = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      for (const piece of pieces) socket.write(Buffer.from(piece, 'latin1'));
      last(socket);
    });
  });
  server = started;
  await new Promise<void>((resolve) => {
    started.listen(0, '127.0.0.1', () => resolve());
  });
  const connection = await RawConnection.open((started.address() as AddressInfo).port);
  await connection.send('x');
  return connection;
}

afterEach(() => {
  server?.close();
});

describe('RawConnection', () => {
  it('shows headers as they were written, in order and repeated', async () => {
    const connection = await answering([
      'HTTP/1.1 200 Very OK\r\nX-b: 1\r\nx-A:2\r\nX-b: 3\r\nContent-Length: 2\r\n\r\nok',
    ]);
    const response = await connection.response();
    connection.destroy();
    expect(response).toMatchObject({
      version: 'HTTP/1.1',
      status: 200,
      reason: 'Very OK',
      complete: true,
      framing: 'length',
    });
    expect(response.headers).toEqual([
      ['X-b', '1'],
      ['x-A', '2'],
      ['X-b', '3'],
      ['Content-Length', '2'],
    ]);
    expect(response.body.toString()).toBe('ok');
  });

  it('tells a body that was cut from one that ended', async () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    for (const [text, complete] of [
      [chunk('one') + LAST_CHUNK, true],
      [chunk('one'), false],
      ['3\r\none', false],
    ] as const) {
      const connection = await answering([head + text], (socket) => socket.end());
      const response = await connection.response();
      expect(response.body.toString()).toBe('one');
      expect(response.complete).toBe(complete);
      server?.close();
    }
  });

  it('gives interim responses apart from the final one', async () => {
    const connection = await answering(['HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n']);
    const response = await connection.response();
    connection.destroy();
    expect(response.interim).toEqual([{ status: 103, headers: [['Link', 'a']] }]);
    expect(response.status).toBe(204);
  });

  it('gives a chunk before the line end behind it has come', async () => {
    const connection = await answering(['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none']);
    const body = connection.body(await connection.head());
    expect((await body.next())?.toString()).toBe('one');
    connection.destroy();
  });

  it('reads chunks whatever pieces they arrive in', async () => {
    const chunks = fc.array(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 9 }), async (texts, size) => {
        const text = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${texts.map(chunk).join('')}${LAST_CHUNK}`;
        const connection = await answering(text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []);
        const response = await connection.response();
        connection.destroy();
        server?.close();
        expect(response.body.toString('latin1')).toBe(texts.join(''));
        expect(response.complete).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});
