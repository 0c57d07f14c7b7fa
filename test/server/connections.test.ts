import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { AuditRecord } from '@caracal/core';
import type { ConfigurationFile } from '@caracal/server';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuthorizationServer, CLIENT_SECRET, startAuthorizationServer } from '../oauth/authorization-server.js';
import { MiniBrowser } from '../oauth/mini-browser.js';
import { BILLING, type ServerWorld, serverWorld } from './server.js';

let world: ServerWorld;
let upstream: AuthorizationServer;
let usual: ConfigurationFile;
let silent: ReturnType<typeof createServer>;

const CLIENT = { allowPrivateNetwork: true, clientSecret: { env: 'CLIENT_SECRET' } };

beforeAll(async () => {
  const environment = { CLIENT_SECRET, GATEWAY_SECRET: 'gateway-secret-canary-3f' };
  world = await serverWorld(
    (configuration) => {
      usual = configuration;
      return configuration;
    },
    {},
    environment,
  );
  const machine = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] };
  upstream = await startAuthorizationServer({
    clients: () => [
      { ...machine, client_id: 'machine', client_secret: CLIENT_SECRET },
      {
        client_id: 'people',
        client_secret: CLIENT_SECRET,
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: [`${world.url.tokenService}/connect/callback/files`],
      },
    ],
  });
  // Takes connections and says nothing.
  silent = createServer(() => {});
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
});

afterAll(async () => {
  await world?.close();
  await upstream?.close();
  silent?.close();
});

async function reload(change: Partial<ConfigurationFile>): Promise<void> {
  await world.write({ ...usual, ...change });
  expect(await world.server.reload()).toMatchObject({ ok: true });
}

const withProvider = (provider: NonNullable<ConfigurationFile['providers']>[number]): Partial<ConfigurationFile> => ({
  providers: [provider],
  resources: usual.resources!.map((resource) => ({ ...resource, provider: provider.id })),
});

const tokenOf = (call: (typeof world.seen)[number] | undefined): string =>
  call?.headers.authorization?.replace('Bearer ', '') ?? '';
const lastToken = (): string => tokenOf(world.seen.at(-1));

const machineProvider = {
  id: 'provider://machine',
  kind: 'oauth2_client_credentials',
  clientId: 'machine',
  ...CLIENT,
} as const;

describe('OAuth of a configuration file', () => {
  it('attach a machine’s token, renew it once after a 401 and repeat the request', async () => {
    await reload(withProvider({ ...machineProvider, issuer: upstream.issuer }));
    const before = world.seen.length;
    // This upstream wants a key, and refuses every token.
    expect((await world.call(await world.mandate())).status).toBe(401);
    const tokens = world.seen.slice(before).map(({ headers }) => headers.authorization);
    expect(tokens).toHaveLength(2);
    expect(new Set(tokens).size).toBe(2);
    expect((await world.call(await world.mandate())).status).toBe(401);
    expect(upstream.tokenRequests.filter(({ grantType }) => grantType === 'client_credentials')).toHaveLength(2);
  });

  it('delay nobody else while their token endpoint hangs, and nobody for longer than its deadline', async () => {
    const tokenEndpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/token`;
    const other = 'resource://other';
    const [billing] = usual.resources!;
    await reload({
      providers: [...usual.providers!, { ...machineProvider, tokenEndpoint, timeoutMs: 1_000 }],
      resources: [billing!, { ...billing!, identifier: other, provider: machineProvider.id, mount: undefined }],
      tokenService: {
        ...usual.tokenService!,
        applications: usual.tokenService!.applications.map((application) => ({
          ...application,
          grants: [...(application.grants ?? []), { resource: other, scopes: ['billing:read'] }],
        })),
      },
    });
    const answer = await fetch(`${world.url.tokenService}/oauth/2/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from('billing-agent:agent-secret-0b7e').toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: other }),
    });
    const { access_token: mandate } = (await answer.json()) as { access_token: string };
    let isOver = false;
    const hanging = world.call(mandate, '/v1/invoices/42', { 'X-Caracal-Resource': other }).finally(() => {
      isOver = true;
    });
    expect((await world.call(await world.mandate())).status).toBe(200);
    expect(isOver).toBe(false);
    const refused = await hanging;
    expect([refused.status, refused.headers.get('x-caracal-error')]).toEqual([503, 'credential_unavailable']);
  });

  it('let a person connect by an invitation of the admin endpoint, and disconnect', async () => {
    await reload(
      withProvider({
        id: 'provider://files',
        kind: 'oauth2_authorization_code',
        title: 'Files',
        issuer: upstream.issuer,
        clientId: 'people',
        scopes: ['openid', 'offline_access'],
        authorizationParameters: { prompt: 'consent' },
        ...CLIENT,
      }),
    );
    const refused = await world.call(await world.mandate());
    const body = (await refused.json()) as { error: string; connect_uri: string };
    expect([refused.status, body.error]).toEqual([403, 'connection_required']);
    expect(body.connect_uri).toMatch(new RegExp(`^${world.url.tokenService}/connect\\?t=`));
    // Applications do not sign in.
    expect((await new MiniBrowser().open(body.connect_uri)).text).toContain('sign_in_not_configured');

    const whose = { provider: 'provider://files', issuer: world.url.tokenService, subject: 'billing-agent' };
    const asked = JSON.stringify(whose);
    const headers = { 'Content-Type': 'application/json' };
    expect(
      (await fetch(`${world.url.admin}/v1/connections/invitations`, { method: 'POST', headers, body: asked })).status,
    ).toBe(401);
    const invited = await world.admin('/v1/connections/invitations', { method: 'POST', headers, body: asked });
    const { connect_uri } = (await invited.json()) as { connect_uri: string };
    const browser = new MiniBrowser();
    const decision = await browser.open(connect_uri);
    expect(decision.text).toContain('Connect Files');
    const done = await browser.signIn(await browser.submit(decision, { do: 'connect' }), 'robot@upstream');
    expect(done.text).toContain('Files is connected');
    await world.call(await world.mandate());
    expect(lastToken()).toMatch(/^[\w-]{20,}$/);

    const query = `/v1/connections?${new URLSearchParams(whose)}`;
    expect(await (await world.admin(query)).json()).toMatchObject({ state: 'connected', renewable: true });
    expect(
      await (await world.admin('/v1/connections/disconnect', { method: 'POST', headers, body: asked })).json(),
    ).toEqual({ result: 'disconnected', upstream: 'revoked' });
    expect(await (await world.admin(query)).text()).toBe('');
    const kept: AuditRecord[] = [];
    await expect
      .poll(async () => {
        kept.length = 0;
        for await (const { record } of world.server.journal.query()) kept.push(record);
        return kept
          .filter(({ type }) => type.startsWith('connection.'))
          .map(({ type, initiator }) => [type, initiator]);
      })
      .toEqual([
        ['connection.denied', 'person'], // sign_in_not_configured
        ['connection.invited', 'administrator'],
        ['connection.made', 'invitation'],
        ['connection.ended', 'administrator'],
        ['connection.revoked', 'gateway'],
      ]);
    expect(kept.find(({ type }) => type === 'connection.made')).toMatchObject({
      ...{ subject: 'billing-agent', issuer: world.url.tokenService, peer: '127.0.0.1' },
      provider: { id: 'provider://files', kind: 'oauth2_authorization_code' },
    });
  });

  it('refuse at the admin endpoint whatever is not in order, quoting none of it', async () => {
    const whose = { provider: 'provider://files', issuer: 'https://id.example', subject: 'alice' };
    const events = () => world.logged.filter(({ event }) => event === 'connection_invited').length;
    const before = events();
    const bodies: readonly [unknown, string][] = [
      ['no JSON', 'The body is a JSON object'],
      [[], 'The body is a JSON object'],
      [{}, 'provider is missing; add it.'],
      [{ ...whose, subjct: 'canary-value' }, 'subjct is not known; did you mean subject?'],
      [{ ...whose, provider: 7 }, 'provider is a number; give a text.'],
      [{ ...whose, subject: 'canary-value\n' }, 'subject is no identifier'],
      [{ ...whose, issuer: '' }, 'issuer is no identifier'],
      [{ ...whose, zone: 'canary value' }, 'zone is no zone'],
      [{ ...whose, subject: undefined }, 'Give shared, or issuer and subject.'],
      [{ ...whose, shared: true }, 'Give shared, or issuer and subject.'],
      [{ provider: 'provider://files', shared: 'true' }, 'shared is a string'],
      [{ provider: 'provider://files', shared: true }, 'provider://files allows no shared connection'],
      [{ ...whose, provider: 'provider://none' }, 'there is no provider provider://none that people connect to'],
      ...[0, -1, 1.5, 86_401, '60', null, Number.MAX_SAFE_INTEGER, 1e300].map((ttlSeconds): [unknown, string] => [
        { ...whose, ttlSeconds },
        'ttlSeconds is no whole number from 1 to 86400; give one.',
      ]),
    ];
    for (const [body, fault] of bodies) {
      const answer = await world.admin('/v1/connections/invitations', {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      const text = await answer.text();
      expect([answer.status, text], JSON.stringify(body)).toEqual([400, expect.stringContaining(fault)]);
      expect(text).not.toContain('canary');
    }
    for (const [query, fault] of [
      ['provider=provider://none&shared=true', 'there is no provider provider://none'],
      ['provider=a&provider=b', 'A parameter is given twice.'],
      ['limit=0', 'limit is no whole number from 1 to 10000'],
      ['limit=1e3', 'limit is no whole number'],
      ['shared=yes', 'shared is a string'],
      ['shared=true&subject=a', 'Give shared, or issuer and subject.'],
      ['tokens=true', 'tokens is not known'],
    ]) {
      const answer = await world.admin(`/v1/connections?${query}`);
      expect([answer.status, await answer.text()], query).toEqual([400, expect.stringContaining(fault!)]);
    }
    const both = await world.admin('/v1/connections/disconnect', {
      method: 'POST',
      body: JSON.stringify({ ...whose, ttlSeconds: 60 }),
    });
    expect([both.status, await both.text()]).toEqual([400, expect.stringContaining('ttlSeconds is not known')]);
    expect(events()).toBe(before);
  });

  it('exchange a mandate for one for the resource, with an identity of the gateway', async () => {
    await reload({
      ...withProvider({ id: 'provider://internal', kind: 'caracal_mandate' }),
      gateway: { ...usual.gateway, identity: { application: 'gateway', secret: { env: 'GATEWAY_SECRET' } } },
      tokenService: {
        ...usual.tokenService!,
        applications: [...usual.tokenService!.applications, { id: 'gateway', secret: { env: 'GATEWAY_SECRET' } }],
      },
      resources: usual.resources!.map((resource) => ({
        ...resource,
        provider: 'provider://internal',
        gatewayApplication: 'gateway',
      })),
    });
    const mandate = await world.mandate();
    await world.call(mandate);
    expect(decodeJwt(lastToken())).toMatchObject({ aud: BILLING, use: 'resource', act: { sub: 'gateway' } });
    expect(lastToken()).not.toBe(mandate);
  });

  it('leave no secret and no token in the log', () => {
    const logged = JSON.stringify(world.logged);
    expect(logged).toContain('"event":"oauth_connected"');
    const tokens = new Set(world.seen.map(tokenOf).filter((token) => token !== ''));
    expect(tokens.size).toBeGreaterThan(3);
    for (const secret of [CLIENT_SECRET, 'gateway-secret-canary-3f', ...tokens]) expect(logged).not.toContain(secret);
  });
});
