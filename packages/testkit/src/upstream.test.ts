import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { download, echo, silence } from './http/answers.js';
import { RawConnection } from './http/client.js';
import { within } from './http/deadline.js';
import { chunk, LAST_CHUNK, requestBytes } from './http/request-bytes.js';
import { type RecordingUpstream, startUpstream, TAG_HEADER } from './upstream.js';

let upstream: RecordingUpstream;
let connection: RawConnection;

beforeEach(async () => {
  upstream = await startUpstream();
  connection = await RawConnection.open(upstream.port);
});

afterEach(async () => {
  connection.destroy();
  await upstream.close();
});

describe('startUpstream', () => {
  it('records the exact bytes of a request', async () => {
    const bytes = requestBytes({
      method: 'PUT',
      target: '/a?b',
      headers: [
        [TAG_HEADER, 't'],
        ['x-Odd', 'V'],
      ],
      body: 'hi',
    });
    void connection.send(bytes);
    expect((await connection.response()).body.toString()).toBe('upstream');
    const [request] = upstream.requests('t');
    expect(Buffer.concat([request!.head, request!.body]).equals(bytes)).toBe(true);
    expect(request).toMatchObject({ method: 'PUT', target: '/a?b', version: 'HTTP/1.1', bodyComplete: true });
    expect(request!.headers).toContainEqual(['x-Odd', 'V']);
  });

  it('keeps the requests of different tags apart', async () => {
    for (const tag of ['a', 'b', 'a']) {
      void connection.send(requestBytes({ headers: [[TAG_HEADER, tag]] }));
      await connection.response();
    }
    void connection.send(requestBytes({}));
    await connection.response();
    expect([upstream.requests('a').length, upstream.requests('b').length, upstream.untagged.length]).toEqual([2, 1, 1]);
    expect(upstream.requests('a').map((request) => request.connection.ordinal)).toEqual([1, 3]);
  });

  it('answers as it is told for the tag', async () => {
    upstream.answer('t', echo);
    void connection.send(requestBytes({ method: 'POST', headers: [[TAG_HEADER, 't']], chunks: ['one', 'two'] }));
    expect((await connection.response()).body.toString()).toBe('onetwo');
  });

  it('tells of a body while it arrives', async () => {
    upstream.answer('t', silence);
    const head = requestBytes({
      method: 'POST',
      headers: [
        [TAG_HEADER, 't'],
        ['Transfer-Encoding', 'chunked'],
      ],
    });
    void connection.send(head.toString('latin1') + chunk('one'));
    const request = await upstream.arrival('t');
    await request.bodyReached(3);
    expect(request.bodyComplete).toBe(false);
    void connection.send(LAST_CHUNK);
    await request.bodyEnded;
    expect(request.bodyComplete).toBe(true);
  });

  it('notices that its peer has gone while it does not answer', async () => {
    upstream.answer('t', silence);
    void connection.send(requestBytes({ headers: [[TAG_HEADER, 't']] }));
    const request = await upstream.arrival('t');
    connection.destroy();
    await within(request.closed, 1_000, 'the end of the connection');
  });

  it('notices that its peer has gone while it sends', async () => {
    upstream.answer('t', download(1024 ** 3));
    void connection.send(requestBytes({ headers: [[TAG_HEADER, 't']] }));
    await connection.head();
    connection.destroy();
    await within((await upstream.arrival('t')).closed, 1_000, 'the end of the connection');
  });

  it('counts a request with two framings as a fault', async () => {
    void connection.send(
      `POST / HTTP/1.1\r\n${TAG_HEADER}: t\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    await connection.untilClosed();
    expect(upstream.faults).toHaveLength(1);
  });
});
