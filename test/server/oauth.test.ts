import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BILLING, type ServerWorld, serverWorld, UPSTREAM_KEY } from './server.js';

const PEER = 'resource://peer';
const MACHINE = 'resource://machine';
const TOKEN = 'upstream-token-8d21';

let world: ServerWorld;
let asked: string[];
let tokenServer: ReturnType<typeof createServer>;
beforeAll(async () => {
  asked = [];
  tokenServer = createServer(async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    asked.push(body);
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify({ access_token: TOKEN, token_type: 'Bearer', expires_in: 600 }));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => tokenServer.once('listening', resolve));
  const { port } = tokenServer.address() as AddressInfo;
  world = await serverWorld((usual) => {
    const [billing] = usual.resources!;
    const [agent] = usual.tokenService!.applications;
    return {
      ...usual,
      gateway: { ...usual.gateway, identity: { application: 'gateway' } },
      tokenService: {
        ...usual.tokenService!,
        applications: [
          { ...agent!, grants: [BILLING, PEER, MACHINE].map((resource) => ({ resource, scopes: ['billing:read'] })) },
          { id: 'gateway', secret: { env: 'UPSTREAM_KEY' } },
        ],
      },
      providers: [
        ...usual.providers!,
        { id: 'provider://peer', kind: 'caracal_mandate' },
        {
          id: 'provider://machine',
          kind: 'oauth2_client_credentials',
          tokenEndpoint: `http://127.0.0.1:${port}/token`,
          allowPrivateNetwork: true,
          clientId: 'caracal',
          clientSecret: { env: 'UPSTREAM_KEY' },
        },
      ],
      resources: [
        billing!,
        { ...billing!, identifier: PEER, provider: 'provider://peer', gatewayApplication: 'gateway' },
        { ...billing!, identifier: MACHINE, provider: 'provider://machine' },
      ],
    };
  });
});
afterAll(async () => {
  await world?.close();
  tokenServer?.close();
});

async function mandateFor(resource: string): Promise<string> {
  const issued = await world.server.tokenService!.issue({ applicationId: 'billing-agent', resources: [resource] });
  return (issued as { mandate: string }).mandate;
}

describe('credentials that are obtained', () => {
  it('are a mandate for the resource alone, exchanged at the token service', async () => {
    const mandate = await mandateFor(PEER);
    await world.call(mandate, '/v1/invoices/1', { 'X-Caracal-Resource': PEER });
    const sent = world.seen.at(-1)!.headers.authorization!.replace('Bearer ', '');
    expect(sent).not.toBe(mandate);
    const presented = decodeJwt(mandate);
    expect(decodeJwt(sent)).toMatchObject({ aud: PEER, use: 'resource', sub: 'billing-agent', sid: presented.sid });
    expect(decodeJwt(sent).exp).toBeLessThanOrEqual(presented.exp!);
  });

  it('are a token of the gateway’s own, kept across a reload', async () => {
    const mandate = await mandateFor(MACHINE);
    await world.call(mandate, '/v1/invoices/1', { 'X-Caracal-Resource': MACHINE });
    expect(world.seen.at(-1)!.headers.authorization).toBe(`Bearer ${TOKEN}`);
    const before = asked.length;
    expect(asked[0]).toContain('grant_type=client_credentials');
    await world.write({
      ...JSON.parse(JSON.stringify(world.server.configuration)),
      gateway: { id: 'second', identity: { application: 'gateway' } },
    });
    expect(await world.server.reload()).toMatchObject({ ok: true });
    const after = world.seen.length;
    await world.call(mandate, '/v1/invoices/1', { 'X-Caracal-Resource': MACHINE });
    expect(world.seen.length).toBeGreaterThan(after);
    expect(world.seen.at(-1)!.headers.authorization).toBe(`Bearer ${TOKEN}`);
    const told = JSON.stringify(world.logged) + (await (await world.admin('/v1/audit/records?limit=10000')).text());
    for (const secret of [TOKEN, UPSTREAM_KEY, mandate]) expect(told).not.toContain(secret);
    expect(before).toBeGreaterThan(0);
  });
});
