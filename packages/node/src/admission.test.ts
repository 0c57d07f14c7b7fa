import { once } from 'node:events';
import type { Exchange, Refusal } from '@caracal/core';
import { afterEach, describe, expect, it } from 'vitest';
import { LINGER_MAX_BYTES } from './lingering-close.js';
import { FakeGateway, refusal } from './testing/fake-gateway.js';
import { answering, FakeTransport } from './testing/fake-transport.js';
import { eventually } from './testing/raw-client.js';
import { type Serving, serving } from './testing/serving.js';
import { MAX_PIPELINED_REQUESTS } from './turns.js';

let current: Serving | undefined;
afterEach(() => current?.stop());

const OK = answering(200, ['Content-Length', '2'], 'ok');

async function deciding(gateway: FakeGateway, transport = new FakeTransport(OK)) {
  current = await serving(gateway, transport);
  return { gateway, transport, client: current.client() };
}

describe('a request', () => {
  it('is judged by its head as it came', async () => {
    const { gateway, client } = await deciding(new FakeGateway());
    client.send('GET /a/../%2e//b?q=[]&%zz HTTP/1.1', 'hOST: a', 'Host: b', 'X-A:  caf\xe9 ', 'x-a: 2', '', '');
    await client.until('ok');
    expect(gateway.heads).toEqual([
      {
        method: 'GET',
        target: '/a/../%2e//b?q=[]&%zz',
        headers: ['hOST', 'a', 'Host', 'b', 'X-A', 'caf\xe9', 'x-a', '2'],
        httpVersion: '1.1',
        peer: { address: '127.0.0.1' },
        upgrade: false,
        fidelity: 'raw',
        presence: expect.anything(),
      },
    ]);
  });

  it('tells the gateway that its caller has gone, whenever it asks', async () => {
    const { gateway, client } = await deciding(new FakeGateway(() => new Promise(() => {})));
    client.send('GET / HTTP/1.1', 'Host: a', '', '');
    await expect.poll(() => gateway.heads.length).toBe(1);
    const { presence } = gateway.heads[0]!;
    const { signal } = presence!;
    expect([signal.aborted, presence!.signal === signal]).toEqual([false, true]);
    client.socket.destroy();
    await expect.poll(() => signal.aborted).toBe(true);
  });

  it('reaches the gateway with all of its headers, and without a Host', async () => {
    const { gateway, client } = await deciding(new FakeGateway());
    const many = Array.from({ length: 3_000 }, (_, index) => `h${index}: v`);
    await client.send('GET / HTTP/1.1', ...many, '', '').until('ok');
    expect(gateway.heads[0]!.headers).toHaveLength(6_000);
  });

  it('that expects something unknown is judged by the gateway', async () => {
    const { client } = await deciding(new FakeGateway(() => refusal(417)));
    expect(await client.get('/', 'Expect: miracles').until('}')).toContain('HTTP/1.1 417 ');
  });

  it('has a body for the transport only where one is announced', async () => {
    const { transport } = await deciding(new FakeGateway());
    const bodies: boolean[] = [];
    for (const [index, framing] of [
      [],
      ['Content-Length: 0'],
      ['Content-Length: 2'],
      ['Transfer-Encoding: chunked'],
    ].entries()) {
      const client = current!.client().send('POST / HTTP/1.1', 'Host: a', ...framing, '', '');
      await client.until('ok');
      bodies.push(transport.attempts[index]!.body !== null);
    }
    expect(bodies).toEqual([false, false, true, true]);
  });

  it('whose caller has gone by the time it is admitted is not forwarded', async () => {
    let admit: ((exchange: Exchange) => void) | undefined;
    const gateway = new FakeGateway(() => new Promise((resolve) => (admit = resolve)));
    const { transport, client } = await deciding(gateway);
    const left = new Promise((resolve) => {
      current!.server.once('request', (_, res) => res.once('close', resolve));
    });
    client.get('/');
    await eventually(() => admit !== undefined);
    client.socket.destroy();
    await left;
    admit!(gateway.exchange());
    await eventually(() => gateway.exchanges[0]!.settlement !== undefined);
    expect(gateway.exchanges[0]!.settlement?.outcome).toBe('client_aborted');
    expect(transport.attempts).toHaveLength(0);
  });
});

describe('a refusal', () => {
  const refusing = () => new FakeGateway(() => refusal(401));

  it('of a request without a body keeps the connection', async () => {
    const { client, transport } = await deciding(refusing());
    await client.get('/').until('}');
    client.get('/');
    await eventually(() => client.answers.length === 2);
    expect(client.received).not.toMatch(/connection: close/i);
    expect(transport.attempts).toHaveLength(0);
  });

  it('is complete before a body that was not read, and the connection closes', async () => {
    const { client, gateway } = await deciding(refusing());
    client.send('POST / HTTP/1.1', 'Host: a', `Content-Length: ${LINGER_MAX_BYTES}`, '', 'x'.repeat(300_000));
    await client.until('}');
    expect(client.received).toMatch(/^HTTP\/1\.1 401 .*connection: close\r\n/is);
    client.socket.write('x'.repeat(LINGER_MAX_BYTES - 300_000));
    client.get('/second');
    await client.end();
    expect(client.ended).toBe('end');
    expect(gateway.heads).toHaveLength(1);
  });

  it('to HEAD with a body is its head alone', async () => {
    const { client } = await deciding(refusing());
    const answer = await client.send('HEAD / HTTP/1.1', 'Host: a', 'Content-Length: 9', '', '').end();
    expect(answer.startsWith('HTTP/1.1 401 ')).toBe(true);
    expect(answer.endsWith('\r\n\r\n')).toBe(true);
  });

  it('cuts a caller that goes on sending', async () => {
    const { client } = await deciding(refusing());
    client.send('POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked', '', '');
    let sent = 0;
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    const pump = () => {
      while (!client.closed && sent < 64 * LINGER_MAX_BYTES) {
        sent += chunk.length;
        if (!client.socket.write(chunk)) return;
      }
    };
    client.socket.on('drain', pump);
    pump();
    await client.end();
    expect(client.received).toMatch(/^HTTP\/1\.1 401 /);
    expect(client.ended).toBe('reset');
    expect(sent).toBeLessThan(64 * LINGER_MAX_BYTES);
  });
});

describe('100 Continue', () => {
  const EXPECTING = ['POST / HTTP/1.1', 'Host: a', 'Expect: 100-continue', 'Content-Length: 2', '', ''];

  it('is sent once the request is admitted, and not before', async () => {
    let admit: ((verdict: Exchange | Refusal) => void) | undefined;
    const gateway = new FakeGateway(() => new Promise((resolve) => (admit = resolve)));
    const { client } = await deciding(gateway, new FakeTransport());
    client.send(...EXPECTING);
    await eventually(() => admit !== undefined);
    expect(client.received).toBe('');
    admit!(gateway.exchange());
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
  });

  it('is never sent to who is refused', async () => {
    const { client } = await deciding(new FakeGateway(() => refusal(403)));
    client.send(...EXPECTING);
    expect((await client.end()).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 403']);
  });
});

describe('pipelining', () => {
  it('judges each request by its own head, after the one ahead was answered', async () => {
    const transport = new FakeTransport();
    const { gateway, client } = await deciding(
      new FakeGateway((head, fake) => (head.target === '/refused' ? refusal(403) : fake.exchange())),
      transport,
    );
    client.get('/first').get('/refused').get('/third');
    await eventually(() => transport.attempts.length === 1);
    expect(gateway.heads.map(({ target }) => target)).toEqual(['/first']);
    OK(transport.attempts[0]!);
    await eventually(() => transport.attempts.length === 2);
    OK(transport.attempts[1]!);
    await eventually(() => client.answers.length === 3);
    expect(client.answers.map((answer) => answer.slice(9, 12))).toEqual(['200', '403', '200']);
  });

  it('ends where too many requests wait', async () => {
    const { gateway, client } = await deciding(new FakeGateway(), new FakeTransport());
    for (let count = 0; count <= MAX_PIPELINED_REQUESTS + 1; count++) client.get('/');
    await client.end();
    expect(gateway.heads).toHaveLength(1);
    await eventually(() => gateway.exchanges[0]!.settlement?.outcome === 'client_aborted');
  });
});

describe('what is not HTTP', () => {
  it.each([
    ['a bad header', 'GET /secret HTTP/1.1\r\nHost: a\r\nbad header: secret\r\n\r\n', 400],
    ['two framings', 'POST /secret HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    ['a head that is too large', `GET /secret HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`, 431],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    ['another version', 'GET /secret HTTP/1.9\r\nHost: a\r\n\r\n', 505],
  ])('is refused like a request: %s', async (_, bytes, status) => {
    const { client, gateway } = await deciding(new FakeGateway());
    const answer = await client.send(bytes).end();
    expect(client.ended).toBe('end');
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*\r\nX-Caracal-Error: invalid_request\r\n`, 's'));
    expect(answer).toMatch(/\r\nConnection: close\r\n/);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ error: 'invalid_request' });
    expect(answer).not.toContain('secret');
    expect(gateway.heads).toHaveLength(0);
  });

  it('is told so where the head takes too long', async () => {
    const { client } = await deciding(new FakeGateway());
    const accepted = once(current!.server, 'connection');
    client.send('GET / HTTP/1.1\r\n');
    const [socket] = await accepted;
    current!.server.emit('clientError', Object.assign(new Error(), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
    expect(await client.end()).toMatch(/^HTTP\/1\.1 408 .*\r\nX-Caracal-Error: invalid_request\r\n/s);
  });

  it('ends the exchange whose body it is', async () => {
    const { client, gateway, transport } = await deciding(new FakeGateway(), new FakeTransport());
    client.send('POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked', '', '2', 'hi', '');
    await eventually(() => transport.attempts.length === 1);
    client.send('zz\r\n');
    expect(await client.end()).toMatch(/^HTTP\/1\.1 400 /);
    expect(transport.attempts[0]!.aborted).toBe(true);
    expect(gateway.exchanges[0]!.settlement?.outcome).toBe('client_aborted');
  });

  it('is given no answer that another request would take for its own', async () => {
    const { client, transport } = await deciding(new FakeGateway(), new FakeTransport());
    client.get('/');
    await eventually(() => transport.attempts.length === 1);
    client.send('\x00garbage\r\n\r\n');
    expect(await client.end()).toBe('');
    expect(transport.attempts[0]!.aborted).toBe(true);
  });

  it('breaks an answer off that is on its way', async () => {
    const { client, transport } = await deciding(new FakeGateway(), new FakeTransport());
    client.get('/');
    await eventually(() => transport.attempts.length === 1);
    transport.attempts[0]!.handler.onHead(200, []);
    transport.attempts[0]!.handler.onChunk(Buffer.from('part'));
    await client.until('part');
    client.send('\x00garbage\r\n\r\n');
    expect((await client.end()).endsWith('part\r\n')).toBe(true);
    expect(transport.attempts[0]!.aborted).toBe(true);
  });
});

describe('a change of protocol', () => {
  it('is shown to the gateway where it is a WebSocket', async () => {
    const { client, gateway } = await deciding(new FakeGateway(() => refusal(403)));
    client.get('/', 'Connection: keep-alive, Upgrade', 'Upgrade: WebSocket');
    expect(await client.until('}')).toContain('HTTP/1.1 403 ');
    expect(gateway.heads[0]!.upgrade).toBe(true);
  });

  it('is ignored where it is another one: the request is served', async () => {
    const { client, gateway } = await deciding(new FakeGateway());
    client.get('/', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk');
    await client.until('ok');
    expect(gateway.heads.map(({ upgrade }) => upgrade)).toEqual([false]);
  });

  it('by CONNECT is refused by the gateway, and the connection closes', async () => {
    const { client, gateway } = await deciding(new FakeGateway(() => refusal(405)));
    client.send('CONNECT upstream.test:443 HTTP/1.1', 'Host: upstream.test:443', '', '');
    expect(await client.end()).toMatch(/^HTTP\/1\.1 405 .*\r\nConnection: close\r\n/s);
    expect(gateway.heads[0]).toMatchObject({ method: 'CONNECT', target: 'upstream.test:443' });
  });

  it('by CONNECT behind a request not answered yet is not taken for the answer to that one', async () => {
    const gateway = new FakeGateway(({ method }, own) => (method === 'CONNECT' ? refusal(405) : own.exchange()));
    const { client } = await deciding(gateway);
    client.get('/').send('CONNECT upstream.test:443 HTTP/1.1', 'Host: upstream.test:443', '', '');
    expect(await client.end()).toBe('');
    await eventually(() => gateway.exchanges[0]!.settlement?.outcome === 'client_aborted');
    expect(gateway.heads[1]).toMatchObject({ method: 'CONNECT' });
  });
});

describe('an answer that does not wait for the body', () => {
  it('arrives whole, and the connection closes', async () => {
    const { client, gateway } = await deciding(new FakeGateway(), new FakeTransport(answering(413, [], 'too large')));
    client.send('POST / HTTP/1.1', 'Host: a', 'Content-Length: 900000', '', 'x'.repeat(100_000));
    const answer = await client.until('0\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 413 .*\r\nConnection: close\r\n.*9\r\ntoo large\r\n0\r\n\r\n$/s);
    client.socket.write('x'.repeat(800_000));
    await client.end();
    expect(client.ended).toBe('end');
    expect(gateway.exchanges[0]!.settlement?.outcome).toBe('executed');
  });

  it('keeps the connection where the body has arrived all the same', async () => {
    const { client, transport } = await deciding(new FakeGateway(), new FakeTransport());
    client.send('POST / HTTP/1.1', 'Host: a', 'Content-Length: 5', '', 'hello');
    await eventually(
      () =>
        transport.attempts.length === 1 && (transport.attempts[0]!.body as { complete?: boolean }).complete === true,
    );
    OK(transport.attempts[0]!);
    await client.until('ok');
    client.get('/second');
    await eventually(() => transport.attempts.length === 2);
    expect(client.received).not.toMatch(/connection: close/i);
  });
});
