import { createHash } from 'node:crypto';
import { createServer as createUpstream, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import type { Plan, Transport } from '@caracal/core';
import { undiciTransport } from '@caracal/transport';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeGateway } from './testing/fake-gateway.js';
import { eventually } from './testing/raw-client.js';
import { type Serving, serving } from './testing/serving.js';

let upstream: Server;
let transport: Transport<Readable>;
let current: Serving;

beforeEach(async () => {
  upstream = createUpstream();
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  transport = undiciTransport();
});

afterEach(async () => {
  await current.stop();
  await transport.close();
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
});

async function forwarding(plan: Partial<Plan>) {
  const origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const gateway = new FakeGateway((_, fake) => fake.exchange({ ...plan, origin }));
  current = await serving(gateway, transport);
  return { gateway, client: current.client() };
}

const CHUNKED: Partial<Plan> = { method: 'POST', framing: 'chunked' };

describe('over the undici transport', () => {
  it('bodies pass both ways, byte for byte', async () => {
    upstream.on('request', (req, res) => req.pipe(res));
    const { client } = await forwarding(CHUNKED);
    const body = Buffer.alloc(3_000_000, '0123456789abcdef\n');
    client.send('POST / HTTP/1.1', 'Host: a', 'Connection: close', 'Transfer-Encoding: chunked', '', '');
    for (let start = 0; start < body.length; start += 70_000) {
      const chunk = body.subarray(start, start + 70_000).toString('latin1');
      client.send(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
    }
    client.send('0\r\n\r\n');
    const answer = await client.end();
    expect(sha256(chunksOf(answer))).toBe(sha256(body.toString('latin1')));
  });

  it('a chunk passes when it arrives, in both directions', async () => {
    upstream.on('request', (req, res) => req.on('data', (chunk) => res.write(chunk)).on('end', () => res.end()));
    const { client } = await forwarding(CHUNKED);
    client.send('POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked', '', '');
    for (const word of ['one', 'two', 'six']) {
      client.send('3', word, '');
      await client.until(`3\r\n${word}\r\n`);
    }
    client.send('0\r\n\r\n');
    await client.until('0\r\n\r\n');
  });

  it('a body that grows over its limit is refused in the middle, and the refusal arrives', async () => {
    let aborted = false;
    upstream.on('request', (req) => req.resume().on('error', () => (aborted = true)));
    const limits = { ...new FakeGateway().exchange().plan!.limits, maxBodyBytes: 100_000 };
    const { client, gateway } = await forwarding({ ...CHUNKED, limits });
    client.send('POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked', '', '');
    for (let count = 0; count < 10; count++) client.send(`f000\r\n${'x'.repeat(0xf000)}\r\n`);
    expect(await client.until('}')).toMatch(/^HTTP\/1\.1 502 .*\r\nConnection: close\r\n/s);
    client.send(`f000\r\n${'x'.repeat(0xf000)}\r\n0\r\n\r\n`);
    await client.end();
    expect(client.ended).toBe('end');
    expect(gateway.exchanges[0]!.settlement).toMatchObject({ outcome: 'refused' });
    await eventually(() => aborted);
  });

  it('an early answer arrives while the caller is still sending', async () => {
    upstream.on('request', (_, res) => res.writeHead(413).end('too large'));
    const { client } = await forwarding(CHUNKED);
    client.send('POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked', '', '');
    for (let count = 0; count < 8; count++) client.send(`f000\r\n${'x'.repeat(0xf000)}\r\n`);
    expect(await client.until('too large\r\n0\r\n\r\n')).toMatch(/^HTTP\/1\.1 413 .*\r\nConnection: close\r\n/s);
    client.send('0\r\n\r\n');
    await client.end();
    expect(client.ended).toBe('end');
  });

  it('a caller that breaks its upload off takes the upstream request with it', async () => {
    let aborted = false;
    let begun = false;
    upstream.on('request', (req) => {
      begun = true;
      req.resume().on('error', () => (aborted = true));
    });
    const { client, gateway } = await forwarding(CHUNKED);
    client.send('POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked', '', '3', 'abc', '');
    await eventually(() => begun);
    client.socket.destroy();
    await eventually(() => aborted);
    expect(gateway.exchanges[0]!.settlement?.outcome).toBe('client_aborted');
  });

  it('an upstream that breaks its answer off breaks off the caller’s', async () => {
    upstream.on('request', (_, res) => {
      res.write('part');
      setImmediate(() => res.socket?.destroy());
    });
    const { client, gateway } = await forwarding({});
    expect(await client.get('/').end()).not.toContain('0\r\n\r\n');
    expect(gateway.exchanges[0]!.settlement?.outcome).toBe('upstream_aborted');
  });

  it('interim responses pass, and the answer after them', async () => {
    upstream.on('request', (_, res) => {
      res.writeEarlyHints({ link: '</a.css>; rel=preload' });
      res.end('ok');
    });
    const { client } = await forwarding({});
    expect(await client.get('/').until('ok')).toMatch(/^HTTP\/1\.1 103 Early Hints\r\n.*HTTP\/1\.1 200 OK\r\n/s);
  });

  it('a long answer waits for a slow caller and arrives whole', async () => {
    const body = Buffer.alloc(8 * 1024 * 1024, 'y');
    let written = false;
    upstream.on('request', (_, res) => res.end(body, () => (written = true)));
    const { client } = await forwarding({});
    client.socket.pause();
    client.get('/', 'Connection: close');
    await eventually(() => client.socket.bytesWritten > 0);
    expect(written).toBe(false);
    client.socket.resume();
    const answer = await client.end();
    expect(answer.length - answer.indexOf('\r\n\r\n') - 4).toBe(body.length);
  });
});

function chunksOf(answer: string): string {
  let rest = answer.slice(answer.indexOf('\r\n\r\n') + 4);
  const chunks: string[] = [];
  for (;;) {
    const line = rest.indexOf('\r\n');
    const size = Number.parseInt(rest.slice(0, line), 16);
    if (size === 0) return chunks.join('');
    chunks.push(rest.slice(line + 2, line + 2 + size));
    rest = rest.slice(line + 4 + size);
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex');
}
