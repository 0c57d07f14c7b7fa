import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import {
  createGateway,
  type Gateway,
  type MemoryAuditSink,
  memoryAuditSink,
  noCredential,
  type Provider,
  Secret,
} from '@caracal/core';
import { fetchHandler } from '@caracal/fetch';
import { koaGateway } from '@caracal/koa';
import { attach, httpServerOptions } from '@caracal/node';
import { oauth2ClientCredentials } from '@caracal/oauth';
import { createTestIssuer } from '@caracal/testkit';
import { type GuardedOutbound, guardedOutbound, undiciTransport, webBodies } from '@caracal/transport';
import Koa from 'koa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type AuthorizationServer,
  CLIENT_SECRET,
  MACHINE_CLIENT,
  startAuthorizationServer,
} from './authorization-server.js';
import { credentialRequest, tokenOf } from './requests.js';

const PATIENCE = { timeout: 60_000 };
const RESOURCE = 'resource://slow';
const OTHER = 'resource://quick';

let server: AuthorizationServer;
let outbound: GuardedOutbound;
/** Token requests that wait for their answer. */
let held: (() => void)[];
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  server = await startAuthorizationServer({
    clients: () => [MACHINE_CLIENT],
  });
  outbound = guardedOutbound();
  held = [];
  server.before = (request: IncomingMessage) =>
    request.method === 'POST' ? new Promise((resolve) => void held.push(resolve)) : Promise.resolve();
});

afterEach(async () => {
  release();
  for (const close of closing.splice(0).reverse()) await close();
  await outbound.close();
  await server.close();
});

function release(): void {
  server.before = undefined;
  for (const answer of held.splice(0)) answer();
}

// Longer than any test: what ends a wait here is its caller.
const machine = (): Provider =>
  oauth2ClientCredentials({
    id: 'provider://slow',
    issuer: server.issuer,
    clientId: 'machine',
    clientSecret: new Secret(CLIENT_SECRET),
    allowPrivateNetwork: true,
    timeoutMs: 600_000,
    outbound,
  });

interface World {
  readonly gateway: Gateway;
  readonly audit: MemoryAuditSink;
  readonly seen: IncomingMessage[];
  readonly mandate: string;
  readonly left: () => number;
}

async function slowWorld(): Promise<World> {
  const seen: IncomingMessage[] = [];
  const upstream = createServer((req, res) => {
    seen.push(req);
    res.end('done');
  });
  const upstreamUrl = `http://127.0.0.1:${await listening(upstream)}`;
  const issuer = await createTestIssuer();
  const audit = memoryAuditSink();
  const common = { upstreamUrl, allowPrivateNetwork: true, scopes: [], websocket: true };
  const gateway = createGateway({
    issuers: [{ issuer: issuer.issuer, keys: issuer.jwks().keys }],
    resources: [
      { ...common, identifier: RESOURCE, provider: machine() },
      { ...common, identifier: OTHER, provider: noCredential() },
    ],
    portTimeoutMs: 600_000,
    audit: { sink: audit },
  });
  return {
    gateway,
    audit,
    seen,
    mandate: await issuer.mint({ scope: '', target: [RESOURCE, OTHER] }),
    left: () => audit.records().filter(({ reason }) => reason === 'caller_left').length,
  };
}

async function listening(listener: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve);
  });
  closing.push(
    () =>
      new Promise((resolve) => {
        listener.close(resolve);
        listener.closeAllConnections();
      }),
  );
  return (listener.address() as AddressInfo).port;
}

async function sends(port: number, { mandate }: World, more: readonly string[] = []): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const lines = [`Authorization: Bearer ${mandate}`, `X-Caracal-Resource: ${RESOURCE}`, ...more];
  socket.write(`GET /v1 HTTP/1.1\r\nHost: gateway.test\r\n${lines.join('\r\n')}\r\n\r\n`);
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

describe('callers who leave while their token is not there yet', () => {
  const throughNode = (front: Server, gateway: Gateway) => attach(front, gateway);
  const throughKoa = (front: Server, gateway: Gateway) => {
    const middleware = koaGateway(gateway);
    return middleware.attach(front, new Koa().use(middleware));
  };

  it.each([
    ['Node', throughNode, []],
    ['Node, asking for a WebSocket,', throughNode, UPGRADE],
    ['Koa', throughKoa, []],
  ])(
    'are let go through %s: the wait ends, nothing goes upstream, the record is there',
    async (_name, through, more) => {
      const world = await slowWorld();
      const front = createServer(httpServerOptions());
      const { drain } = through(front, world.gateway);
      const port = await listening(front);
      closing.push(() => drain({ timeoutMs: 1 }));
      const callers = await Promise.all(Array.from({ length: 50 }, () => sends(port, world, more)));
      await expect.poll(() => held.length, PATIENCE).toBe(1);
      for (const caller of callers) caller.destroy();
      await expect.poll(() => world.left(), PATIENCE).toBe(50);
      // Still at work for whoever comes: it was the wait that ended.
      expect([held.length, server.tokenRequests.length, world.seen.length]).toEqual([1, 0, 0]);
      const stays = await sends(port, world, ['Connection: close']);
      let answer = '';
      stays.on('data', (chunk) => {
        answer += chunk;
      });
      const ended = new Promise((resolve) => stays.once('close', resolve));
      release();
      await ended;
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      expect(server.tokenRequests).toHaveLength(1);
      expect(world.seen).toHaveLength(1);
      expect(JSON.stringify(world.audit.records())).not.toContain(CLIENT_SECRET);
    },
  );

  it('are let go through fetch', async () => {
    const world = await slowWorld();
    const transport = undiciTransport();
    closing.push(() => transport.close());
    const handler = fetchHandler(world.gateway, { transport: webBodies(transport) });
    const headers = {
      Host: 'gateway.test',
      Authorization: `Bearer ${world.mandate}`,
      'X-Caracal-Resource': RESOURCE,
    };
    const callers = Array.from({ length: 50 }, () => new AbortController());
    const answers = callers.map(({ signal }) => handler(new Request('http://gateway.test/v1', { headers, signal })));
    await expect.poll(() => held.length, PATIENCE).toBe(1);
    for (const caller of callers) caller.abort();
    for (const answer of await Promise.all(answers)) await answer.body?.cancel().catch(() => {});
    await expect.poll(() => world.left(), PATIENCE).toBe(50);
    expect([held.length, server.tokenRequests.length, world.seen.length]).toEqual([1, 0, 0]);
    const stays = handler(new Request('http://gateway.test/v1', { headers }));
    release();
    expect(await (await stays).text()).toBe('done');
    expect(server.tokenRequests).toHaveLength(1);
  });

  it('make room for others: a thousand wait, leave, and a thousand more have a place', async () => {
    const provider = machine();
    const ask = (presence: AbortController) => tokenOf(provider.attach(credentialRequest(provider, { presence })));
    const first = Array.from({ length: 1_000 }, () => new AbortController());
    const left = first.map(ask);
    expect(await ask(new AbortController())).toBe('credential_unavailable token_waiters_full');
    for (const caller of first) caller.abort();
    expect(new Set(await Promise.all(left))).toEqual(new Set(['credential_unavailable caller_left']));
    const second = Array.from({ length: 1_000 }, () => ask(new AbortController()));
    await expect.poll(() => held.length, PATIENCE).toBe(1);
    release();
    const tokens = new Set(await Promise.all(second));
    expect([...tokens]).toEqual([expect.stringMatching(/^[\w-]{20,}$/)]);
    expect(server.tokenRequests).toHaveLength(1);
  });
});
