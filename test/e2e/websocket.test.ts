import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGateway, memoryAuditSink, memoryRevocationStore, noCredential } from '@caracal/core';
import { createServer as createGatewayServer, type GatewayServer } from '@caracal/node';
import { createTestIssuer, type TestIssuer } from '@caracal/testkit';
import { WebSocket as BrowserLike } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

const RESOURCE = 'resource://feed';

let issuer: TestIssuer;
let upstream: WebSocketServer;
let server: GatewayServer;
let port: number;
const audit = memoryAuditSink();
const revocations = memoryRevocationStore();

beforeAll(async () => {
  issuer = await createTestIssuer();
  const http = createServer();
  upstream = new WebSocketServer({ server: http, perMessageDeflate: { threshold: 0 } });
  upstream.on('connection', (socket) => {
    socket.on('message', (message, binary) => socket.send(message, { binary }));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const gateway = createGateway({
    issuers: [{ issuer: issuer.issuer, keys: issuer.jwks().keys }],
    resources: [
      {
        identifier: RESOURCE,
        upstreamUrl: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
        allowPrivateNetwork: true,
        provider: noCredential(),
        websocket: true,
      },
    ],
    revocations,
    audit: { sink: audit },
  });
  server = createGatewayServer(gateway);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

afterAll(async () => {
  await server.drain({ timeoutMs: 100 });
  upstream.close();
  upstream.options.server?.close();
});

async function headers(claims: object = {}): Promise<Record<string, string>> {
  const mandate = await issuer.mint({ target: [RESOURCE], ...claims });
  return { Authorization: `Bearer ${mandate}`, 'X-Caracal-Resource': RESOURCE };
}

async function wsClient(options: object, claims?: object): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: await headers(claims), ...options });
  await once(client, 'open');
  return client;
}

describe('the ws package on both sides', () => {
  it.each([false, true])('carries text, binary, fragments and pings; compressed: %s', async (perMessageDeflate) => {
    const client = await wsClient({ perMessageDeflate });
    expect(client.extensions).toBe(perMessageDeflate ? 'permessage-deflate' : '');
    for (const message of ['short', 'ü'.repeat(70_000), Buffer.alloc(1_000_000, 7)]) {
      client.send(message);
      const [back, binary] = await once(client, 'message');
      expect(Buffer.compare(back, Buffer.from(message))).toBe(0);
      expect(binary).toBe(typeof message !== 'string');
    }
    client.send('in ', { fin: false });
    client.ping('are you there');
    client.send('pieces', { fin: true });
    const [pong] = await once(client, 'pong');
    expect(String(pong)).toBe('are you there');
    client.send('after');
    const received: string[] = [];
    client.on('message', (message) => received.push(String(message)));
    while (!received.includes('after')) await once(client, 'message');
    client.close(4000, 'done');
    const [code, reason] = await once(client, 'close');
    expect([code, String(reason)]).toEqual([4000, 'done']);
  });

  it('is told of a revocation with 1008, on both sides', async () => {
    const atUpstream = once(upstream, 'connection').then(([socket]) => once(socket, 'close'));
    const client = await wsClient({}, { sid: 'to-be-revoked' });
    const closed = once(client, 'close');
    await revocations.revoke({ zoneId: issuer.zoneId, issuer: issuer.issuer, kind: 'sid', id: 'to-be-revoked' });
    const ends = await Promise.all([closed, atUpstream]);
    expect(ends.map(([code, reason]) => [code, String(reason)])).toEqual([
      [1008, 'session_revoked'],
      [1008, 'session_revoked'],
    ]);
  });

  it('is answered what an ordinary caller is where the gateway refuses', async () => {
    const client = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { 'X-Caracal-Resource': RESOURCE } });
    client.on('error', () => {});
    const [, response] = await once(client, 'unexpected-response');
    expect([response.statusCode, response.headers['x-caracal-error']]).toEqual([401, 'missing_token']);
    client.terminate();
  });

  it('carries many small messages in their order', async () => {
    const client = await wsClient({ perMessageDeflate: false });
    const total = 20_000;
    let next = 0;
    const all = new Promise<void>((resolve) => {
      client.on('message', (message) => {
        expect(String(message)).toBe(String(next));
        next += 1;
        if (next === total) resolve();
      });
    });
    for (let index = 0; index < total; index += 1) client.send(String(index));
    await all;
    client.terminate();
  });
});

describe('a WebSocket as browsers have it', () => {
  it('opens, compresses, echoes and closes', async () => {
    const client = new BrowserLike(`ws://127.0.0.1:${port}/`, { headers: await headers() });
    const event = <T>(name: string) =>
      new Promise<T>((resolve) =>
        client.addEventListener(name as 'message', (came) => resolve(came as T), { once: true }),
      );
    await event('open');
    expect(client.extensions).toContain('permessage-deflate');
    client.send('hello '.repeat(1_000));
    expect((await event<{ data: string }>('message')).data).toBe('hello '.repeat(1_000));
    client.close(3001, 'enough');
    const { code, wasClean } = await event<{ code: number; wasClean: boolean }>('close');
    expect([code, wasClean]).toEqual([3001, true]);
  });
});
