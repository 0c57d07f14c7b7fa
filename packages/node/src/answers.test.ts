import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { nodeHandler } from './handler.js';
import { WRITE_OUT_TIMEOUT_MS } from './node-caller.js';
import { createServer } from './server.js';
import { FakeGateway } from './testing/fake-gateway.js';
import { answering, FakeTransport } from './testing/fake-transport.js';
import { eventually, RawClient } from './testing/raw-client.js';
import { type Serving, serving } from './testing/serving.js';

let current: Serving | undefined;
afterEach(() => current?.stop());

async function upstream(...script: ConstructorParameters<typeof FakeTransport>) {
  const gateway = new FakeGateway();
  const transport = new FakeTransport(...script);
  current = await serving(gateway, transport);
  return { gateway, transport, client: current.client() };
}

describe('an answer', () => {
  it('keeps repeated headers, their order and every byte of their values', async () => {
    const headers = ['X-A', '1', 'Set-Cookie', 'a=1', 'X-B', 'caf\xe9', 'set-cookie', 'b=2', 'Content-Length', '2'];
    const { client } = await upstream(answering(200, headers, 'ok'));
    const answer = await client.get('/').until('\r\n\r\nok');
    expect(answer).toContain(
      'HTTP/1.1 200 OK\r\nX-A: 1\r\nSet-Cookie: a=1\r\nX-B: caf\xe9\r\nset-cookie: b=2\r\nContent-Length: 2\r\n',
    );
  });

  it('keeps the bytes of a Content-Disposition that Node would rewrite', async () => {
    const headers = ['Content-Length', '2', 'Content-Disposition', 'attachment; filename="\xe9\xc3\xa9"'];
    const { client } = await upstream(answering(200, headers, 'ok'));
    expect(await client.get('/').until('\r\n\r\nok')).toContain('filename="\xe9\xc3\xa9"\r\n');
  });

  it('carries one Date: the one of the upstream, else ours', async () => {
    const { client } = await upstream(answering(200, ['Date', 'Mon, 01 Jan 2024 00:00:00 GMT', 'Content-Length', '0']));
    expect((await client.get('/').until('\r\n\r\n')).match(/^date:.*$/gim)).toEqual([
      'Date: Mon, 01 Jan 2024 00:00:00 GMT',
    ]);
    await current?.stop();
    const without = await upstream(answering(200, ['Content-Length', '0']));
    expect((await without.client.get('/').until('\r\n\r\n')).match(/^date:/gim)).toHaveLength(1);
  });

  it('has its head sent before any of its body comes, with bytes above 0x7F unchanged', async () => {
    const { client, transport } = await upstream();
    client.get('/');
    await eventually(() => transport.attempts.length === 1);
    transport.attempts[0]!.handler.onHead(200, ['X-A', '\xe9']);
    expect(await client.until('\r\n\r\n')).toContain('X-A: \xe9\r\n');
    transport.attempts[0]!.handler.onChunk(Buffer.from('tick'));
    await client.until('4\r\ntick\r\n');
    transport.attempts[0]!.handler.onEnd();
    await client.until('0\r\n\r\n');
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('to %s with status %i has no body, and the connection is kept', async (method, status) => {
    const { client } = await upstream(answering(status, ['X-A', '1']));
    client.send(`${method} / HTTP/1.1`, 'Host: a', '', '');
    await client.until('\r\n\r\n');
    client.send(`${method} / HTTP/1.1`, 'Host: a', '', '');
    await eventually(() => client.answers.length === 2 && client.received.endsWith('\r\n\r\n'));
    expect(client.received).not.toMatch(/transfer-encoding/i);
  });

  it('that Node cannot write becomes a refusal', async () => {
    const { client, gateway } = await upstream(answering(200, ['X-A', 'a\x01b']));
    expect(await client.get('/').until('}')).toContain('HTTP/1.1 502 ');
    expect(gateway.exchanges[0]!.settlement).toMatchObject({ outcome: 'upstream_error', status: 502 });
  });

  it('to an HTTP/1.0 caller is never chunked, even if it says it could be', async () => {
    const { client } = await upstream(answering(200, [], 'body'));
    client.send('GET / HTTP/1.0', 'TE: chunked', 'Connection: keep-alive', '', '');
    const answer = await client.end();
    expect(answer).not.toMatch(/transfer-encoding/i);
    expect(answer.endsWith('\r\n\r\nbody')).toBe(true);
  });

  it('keeps repeated headers where a framework has set some before', async () => {
    const transport = new FakeTransport(answering(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'], 'x'));
    const handler = nodeHandler(new FakeGateway().asGateway, { transport });
    const server = createHttpServer((req, res) => {
      res.setHeader('X-Powered-By', 'framework');
      handler(req, res);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = new RawClient((server.address() as AddressInfo).port);
    const answer = await client.get('/').until('0\r\n\r\n');
    expect(answer).toContain('Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n');
    client.socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('an interim response', () => {
  const interim = (attempt: Parameters<NonNullable<ConstructorParameters<typeof FakeTransport>[0]>>[0]) => {
    attempt.handler.onInterim(103, ['Link', '</a.css>; rel=preload', 'Link', '</b.js>; rel=preload']);
    answering(200, ['Content-Length', '2'], 'ok')(attempt);
  };

  it('goes before the answer, with its headers as they are', async () => {
    const { client } = await upstream(interim);
    const answer = await client.get('/').until('ok');
    expect(answer).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\nLink: <\/b\.js>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    );
  });

  it('goes to no HTTP/1.0 caller', async () => {
    const { client } = await upstream(interim);
    expect(await client.send('GET / HTTP/1.0', '', '').end()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
});

describe('streaming', () => {
  it('stops the upstream while the caller takes nothing, and goes on when it does', async () => {
    const { client, transport } = await upstream();
    client.socket.pause();
    client.get('/');
    await eventually(() => transport.attempts.length === 1);
    const attempt = transport.attempts[0]!;
    attempt.handler.onHead(200, []);
    let sent = 0;
    const chunk = Buffer.alloc(256 * 1024, 'x');
    while (attempt.handler.onChunk(chunk) || sent < 8 * 1024 * 1024) sent += chunk.length;
    expect(attempt.resumed).toBe(0);
    client.socket.resume();
    await eventually(() => attempt.resumed === 1);
    attempt.handler.onEnd();
    await client.until('0\r\n\r\n');
  });

  it('tells of a caller that goes away', async () => {
    const { client, transport, gateway } = await upstream();
    client.get('/');
    await eventually(() => transport.attempts.length === 1);
    client.socket.destroy();
    await eventually(() => transport.attempts[0]!.aborted);
    expect(gateway.exchanges[0]!.settlement?.outcome).toBe('client_aborted');
  });

  it('takes the close after a complete answer for no abort', async () => {
    const { client, transport, gateway } = await upstream(answering(200, ['Content-Length', '2'], 'ok'));
    await client.send('GET / HTTP/1.1', 'Host: a', 'Connection: close', '', '').end();
    expect(gateway.exchanges[0]!.settlement?.outcome).toBe('executed');
    expect(transport.attempts[0]!.aborted).toBe(false);
  });

  it.each(['revoked', 'expired', 'shutdown'] as const)('ends a %s answer without a last chunk', async (reason) => {
    const { client, transport, gateway } = await upstream();
    client.get('/');
    await eventually(() => transport.attempts.length === 1);
    transport.attempts[0]!.handler.onHead(200, []);
    transport.attempts[0]!.handler.onChunk(Buffer.from('part'));
    await client.until('part\r\n');
    gateway.exchanges[0]!.end(reason);
    expect((await client.end()).endsWith('4\r\npart\r\n')).toBe(true);
  });

  it('resets the connection of an HTTP/1.0 caller, to whom a plain end would look complete', async () => {
    const { client, transport, gateway } = await upstream();
    client.send('GET / HTTP/1.0', '', '');
    await eventually(() => transport.attempts.length === 1);
    transport.attempts[0]!.handler.onHead(200, []);
    transport.attempts[0]!.handler.onChunk(Buffer.from('part'));
    await client.until('part');
    gateway.exchanges[0]!.end('revoked');
    await client.end();
    expect(client.ended).toBe('reset');
  });

  it('closes the connection of such a caller on a socket of the file system, which cannot be reset', async () => {
    const gateway = new FakeGateway();
    const transport = new FakeTransport();
    const directory = await mkdtemp(join(tmpdir(), 'caracal-'));
    const server = createServer(gateway.asGateway, { transport });
    try {
      const path = join(directory, 'socket');
      await new Promise<void>((resolve) => server.listen(path, resolve));
      const client = connect(path, () => client.write('GET / HTTP/1.0\r\n\r\n'));
      await eventually(() => transport.attempts.length === 1);
      transport.attempts[0]!.handler.onHead(200, []);
      transport.attempts[0]!.handler.onChunk(Buffer.from('part'));
      await once(client, 'data');
      gateway.exchanges[0]!.end('revoked');
      await once(client.resume(), 'close');
      expect(gateway.exchanges[0]!.settlement?.outcome).toBe('revoked_mid_stream');
    } finally {
      await server.drain({ timeoutMs: 1 });
      await rm(directory, { recursive: true });
    }
  });

  it('gives a caller a time to take what is left of an answer, and none to the exchange after it', async () => {
    const { client, transport } = await upstream();
    const [socket] = await Promise.all([
      new Promise<Socket>((resolve) => current!.server.once('request', (req) => resolve(req.socket))),
      once(client.socket, 'connect').then(() => client.socket.pause() && client.get('/').get('/second')),
    ]);
    await eventually(() => transport.attempts.length === 1);
    transport.attempts[0]!.handler.onHead(200, ['Content-Length', String(16 * 1024 * 1024)]);
    transport.attempts[0]!.handler.onChunk(Buffer.alloc(16 * 1024 * 1024));
    transport.attempts[0]!.handler.onEnd();
    expect(socket.timeout).toBe(WRITE_OUT_TIMEOUT_MS);
    client.socket.resume();
    await eventually(() => transport.attempts.length === 2);
    expect(socket.timeout).toBe(0);
  });

  it('leaves no listener behind on a kept connection', async () => {
    const { client } = await upstream(answering(200, ['Content-Length', '2'], 'ok'));
    let socket: NodeJS.EventEmitter | undefined;
    current!.server.prependListener('request', (req) => {
      socket = req.socket;
    });
    const listeners = () => socket!.eventNames().map((name) => [name, socket!.listenerCount(name)]);
    await client.get('/').until('ok');
    await client.get('/').until('ok');
    const before = listeners();
    for (let count = 3; count <= 30; count++) {
      client.get('/');
      await eventually(() => client.answers.length === count && client.received.endsWith('ok'));
    }
    expect(listeners()).toEqual(before);
  });
});
