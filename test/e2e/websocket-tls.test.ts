import { once } from 'node:events';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createGateway, memoryRevocationStore, noCredential } from '@caracal/core';
import { type Attachment, attach, httpServerOptions } from '@caracal/node';
import { createTestIssuer, type TestIssuer } from '@caracal/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { loopbackCertificate } from './certificate.js';

const RESOURCE = 'resource://secure-feed';
const { cert, key } = loopbackCertificate();
const revocations = memoryRevocationStore();
const upstream = createServer({ cert, key }, (req, res) => res.end(`plain ${req.headers.upgrade}`));
const sockets = new WebSocketServer({ server: upstream });

let issuer: TestIssuer;
let attachment: Attachment;
let port: number;

beforeAll(async () => {
  issuer = await createTestIssuer();
  sockets.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const gateway = createGateway({
    issuers: [{ issuer: issuer.issuer, keys: issuer.jwks().keys }],
    resources: [
      {
        identifier: RESOURCE,
        upstreamUrl: `https://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
        allowPrivateNetwork: true,
        provider: noCredential(),
        websocket: true,
        tls: { ca: cert },
      },
    ],
    revocations,
  });
  const server = createServer({ ...httpServerOptions(), cert, key });
  attachment = attach(server, gateway);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

afterAll(async () => {
  await attachment.drain({ timeoutMs: 100 });
  sockets.close();
  upstream.close();
});

async function headers(claims: object = {}): Promise<Record<string, string>> {
  const mandate = await issuer.mint({ target: [RESOURCE], ...claims });
  return { Authorization: `Bearer ${mandate}`, 'X-Caracal-Resource': RESOURCE };
}

describe('WebSockets with TLS on both sides', () => {
  it('are carried, and closed by their caller', async () => {
    const client = new WebSocket(`wss://127.0.0.1:${port}/`, { ca: cert, headers: await headers() });
    await once(client, 'open');
    client.send(Buffer.alloc(300_000, 5));
    const [back] = await once(client, 'message');
    expect(Buffer.compare(back, Buffer.alloc(300_000, 5))).toBe(0);
    client.close(4002);
    expect((await once(client, 'close'))[0]).toBe(4002);
  });

  it('are closed with 1008 on revocation', async () => {
    const client = new WebSocket(`wss://127.0.0.1:${port}/`, { ca: cert, headers: await headers({ sid: 'gone' }) });
    await once(client, 'open');
    const closed = once(client, 'close');
    await revocations.revoke({ zoneId: issuer.zoneId, issuer: issuer.issuer, kind: 'sid', id: 'gone' });
    expect((await closed)[0]).toBe(1008);
  });

  it('are not what a request for HTTP/2 gets: that is served', async () => {
    const req = request({
      port,
      host: '127.0.0.1',
      ca: cert,
      headers: { ...(await headers()), Connection: 'Upgrade', Upgrade: 'h2c' },
    }).end();
    const [res] = await once(req, 'response');
    let body = '';
    for await (const part of res) body += part;
    expect([res.statusCode, body]).toEqual([200, 'plain undefined']);
  });
});
