import { inspect } from 'node:util';
import {
  type CachedToken,
  type Credential,
  Denial,
  generateSealingKey,
  memoryTokenCache,
  type Provider,
  Secret,
  type TokenCache,
} from '@caracal/core';
import { type ClientCredentialsOptions, type OAuthEvent, oauth2ClientCredentials } from '@caracal/oauth';
import { type GuardedOutbound, guardedOutbound } from '@caracal/transport';
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AuthorizationServer, CLIENT_SECRET, startAuthorizationServer } from './authorization-server.js';
import { adjustableClock } from './clock.js';
import { credentialRequest, tokenOf } from './requests.js';

let server: AuthorizationServer;
let outbound: GuardedOutbound;
let privateKey: string;

beforeAll(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  privateKey = await exportPKCS8(pair.privateKey);
  const key = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
  const machine = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] };
  server = await startAuthorizationServer({
    clients: () => [
      {
        ...machine,
        client_id: 'basic',
        client_secret: CLIENT_SECRET,
        token_endpoint_auth_method: 'client_secret_basic',
      },
      { ...machine, client_id: 'post', client_secret: CLIENT_SECRET, token_endpoint_auth_method: 'client_secret_post' },
      { ...machine, client_id: 'signer', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key] } },
    ],
  });
  outbound = guardedOutbound();
});

afterEach(() => {
  server.tokenRequests.length = 0;
  server.before = undefined;
});

afterAll(async () => {
  await outbound.close();
  await server.close();
});

function provider(changes: Partial<ClientCredentialsOptions> = {}): ReturnType<typeof oauth2ClientCredentials> {
  return oauth2ClientCredentials({
    id: 'provider://api',
    issuer: server.issuer,
    clientId: 'basic',
    clientSecret: new Secret(CLIENT_SECRET),
    allowPrivateNetwork: true,
    outbound,
    ...changes,
  });
}

const attach = (of: Provider): Promise<string> => tokenOf(of.attach(credentialRequest(of)));

/** Where processes meet: one cache and one key ring. */
function shared(clock = adjustableClock()) {
  return { clock, tokenCache: memoryTokenCache({ clock }), sealing: [{ id: 'k1', key: generateSealingKey() }] };
}

describe('client credentials at a real authorization server', () => {
  it('attaches no token that whoever can write to the cache has taken from another place of it', async () => {
    const common = shared();
    const stored: CachedToken[] = [];
    // Answers every question with what was kept first, as good for ever.
    const tokenCache: TokenCache = {
      get: (key) => (stored[0] ? { ...stored[0], expiresAtMs: 1e15 } : common.tokenCache.get(key)),
      claimRefresh: (...asked) => common.tokenCache.claimRefresh(...asked),
      finishRefresh: (key, owner, token) => {
        stored.push(token);
        return common.tokenCache.finishRefresh(key, owner, token);
      },
      abandonRefresh: (...asked) => common.tokenCache.abandonRefresh(...asked),
      forget: (key) => common.tokenCache.forget(key),
    };
    const first = provider({ ...common, tokenCache });
    const token = await attach(first);
    const other = provider({ ...common, tokenCache, id: 'provider://other' });
    const elsewhere = provider({ ...common, tokenCache, origins: ['https://elsewhere.example'] });
    const inZone = tokenOf(first.attach(credentialRequest(first, { zoneId: 'other' })));
    for (const attached of [await attach(other), await attach(elsewhere), await inZone]) {
      expect(attached).toMatch(/^[\w-]{20,}$/);
      expect(attached).not.toBe(token);
    }
    // Its own place is another thing: what was sealed for it is its own.
    expect(await attach(provider({ ...common, tokenCache }))).toBe(token);
  });

  it.each([
    ['client_secret_basic', { clientId: 'basic' }],
    ['client_secret_post', { clientId: 'post', clientAuthentication: 'client_secret_post' as const }],
  ])('authenticates by %s', async (_method, changes) => {
    expect(await attach(provider(changes))).toMatch(/^[\w-]{20,}$/);
    expect(server.tokenRequests.map(({ grantType, status }) => [grantType, status])).toEqual([
      ['client_credentials', 200],
    ]);
  });

  it('authenticates by private_key_jwt', async () => {
    const { clientSecret: _, ...options } = {
      clientSecret: undefined,
      clientId: 'signer',
      keyId: 'k1',
      privateKey: new Secret(privateKey),
    };
    const signer = oauth2ClientCredentials({
      id: 'p',
      issuer: server.issuer,
      allowPrivateNetwork: true,
      outbound,
      ...options,
    });
    expect(await attach(signer)).toMatch(/^[\w-]{20,}$/);
  });

  it('makes one token request for 100 parallel calls on a cold cache, and answers without waiting from then on', async () => {
    const one = provider();
    const tokens = await Promise.all(Array.from({ length: 100 }, () => attach(one)));
    expect(new Set(tokens).size).toBe(1);
    expect(server.tokenRequests).toHaveLength(1);
    expect(one.attach(credentialRequest(one))).toMatchObject({ secrets: [tokens[0]] });
    expect(one.attach(credentialRequest(one))).toBe(one.attach(credentialRequest(one)));
  });

  it('makes one token request for two gateways with one cache', async () => {
    const services = shared();
    const both = [provider(services), provider(services)];
    const tokens = await Promise.all(both.flatMap((each) => Array.from({ length: 50 }, () => attach(each))));
    expect(new Set(tokens).size).toBe(1);
    expect(server.tokenRequests).toHaveLength(1);
  });

  it('keeps zones apart, and what another configuration obtained', async () => {
    const services = shared();
    const one = provider(services);
    await attach(one);
    await tokenOf(one.attach(credentialRequest(one, { zoneId: 'other' })));
    await attach(provider({ ...services, extraParameters: { vendor: 'x' } }));
    expect(server.tokenRequests).toHaveLength(3);
  });

  it('renews in the background ahead of the end while the old token serves, and never hands out one at its end', async () => {
    const services = shared();
    const one = provider(services);
    const first = await attach(one);
    services.clock.advance(600_000 - 40_000);
    expect(await attach(one)).toBe(first);
    await expect.poll(() => attach(one), { timeout: 20_000 }).not.toBe(first);
    expect(server.tokenRequests).toHaveLength(2);
  });

  it('lets the old token serve while its renewal fails, remembers the failure, and says why once there is none', async () => {
    const services = shared();
    const one = provider(services);
    const first = await attach(one);
    server.before = async (request) => void request.socket.destroy();
    services.clock.advance(600_000 - 40_000);
    expect(await attach(one)).toBe(first);
    expect(await attach(one)).toBe(first);
    services.clock.advance(35_000);
    await expect.poll(() => attach(one), { timeout: 20_000 }).toBe('credential_unavailable token_endpoint_closed');
    const denial = await one.attach(credentialRequest(one));
    expect(denial).toBeInstanceOf(Denial);
    expect((denial as Denial).members?.retryAfterSeconds).toBeGreaterThan(0);
    server.before = undefined;
    services.clock.advance(120_000);
    expect(await attach(one)).not.toBe(first);
  });

  it('renews once after a refusal, across gateways, and not again for a minute', async () => {
    const services = shared();
    const [a, b] = [provider(services), provider(services)];
    const credentialOf = async (of: Provider) => (await of.attach(credentialRequest(of))) as Credential;
    const [refusedA, refusedB] = [await credentialOf(a), await credentialOf(b)];
    const renewed = await Promise.all(
      Array.from({ length: 20 }, () => tokenOf(a.renew(credentialRequest(a), refusedA))),
    );
    expect(new Set(renewed).size).toBe(1);
    expect(renewed[0]).not.toBe(refusedA.secrets[0]);
    expect(await tokenOf(b.renew(credentialRequest(b), refusedB))).toBe(renewed[0]);
    expect(server.tokenRequests).toHaveLength(2);
    for (const each of [a, b]) {
      const again = await credentialOf(each);
      expect(await each.renew(credentialRequest(each), again)).toBe(again);
    }
    expect(server.tokenRequests).toHaveLength(2);
    services.clock.advance(60_001);
    const late = await credentialOf(a);
    expect(await tokenOf(a.renew(credentialRequest(a), late))).not.toBe(late.secrets[0]);
    expect(server.tokenRequests).toHaveLength(3);
  });

  it('lets a waiter leave with its caller, while the others get their token', async () => {
    const held: (() => void)[] = [];
    server.before = () => new Promise((resolve) => void held.push(resolve));
    const one = provider();
    const leaving = new AbortController();
    const stays = attach(one);
    const leaves = tokenOf(one.attach(credentialRequest(one, { presence: leaving })));
    leaving.abort();
    expect(await leaves).toBe('credential_unavailable caller_left');
    await expect.poll(() => held.length, { timeout: 20_000 }).toBe(1);
    server.before = undefined;
    held[0]?.();
    expect(await stays).toMatch(/^[\w-]{20,}$/);
  });

  it('says precisely what is wrong when it is asked to try', async () => {
    expect(await provider().probe('default')).toEqual({ ok: true });
    expect(await provider({ clientSecret: new Secret('wrong-canary-77') }).probe('default')).toMatchObject({
      ok: false,
      reason: 'token_endpoint_invalid_client',
      explanation: expect.stringContaining('status 401: invalid_client'),
    });
    expect(await provider({ issuer: `${server.issuer}/other` }).probe('default')).toMatchObject({
      reason: 'issuer_metadata_missing',
    });
    expect(await provider({ issuer: server.issuer.replace('127.0.0.1', 'localhost') }).probe('default')).toMatchObject({
      reason: 'issuer_mismatch',
    });
    expect(await provider({ allowPrivateNetwork: false }).probe('default')).toMatchObject({
      reason: 'token_endpoint_address',
    });
  });

  it('shows no secret and no token to inspection, JSON, events or the cache', async () => {
    const events: OAuthEvent[] = [];
    const services = shared();
    const kept: string[] = [];
    const { tokenCache } = services;
    const spying = {
      ...bound(tokenCache),
      finishRefresh: (...of: Parameters<typeof tokenCache.finishRefresh>) => {
        kept.push(JSON.stringify(of));
        return tokenCache.finishRefresh(...of);
      },
    };
    const one = provider({ ...services, tokenCache: spying, onEvent: (event) => events.push(event) });
    const token = await attach(one);
    const failing = provider({ clientSecret: new Secret('wrong-canary-77') });
    const denial = await failing.attach(credentialRequest(failing));
    const shown = [one, failing, denial, events, kept, services]
      .map((each) => inspect(each, { depth: 20, showHidden: true }) + JSON.stringify(each))
      .join();
    for (const secret of [token, CLIENT_SECRET, encodeURIComponent(CLIENT_SECRET), 'wrong-canary-77']) {
      expect(shown).not.toContain(secret);
    }
    expect(kept).toHaveLength(1);
  });
});

function bound<T extends object>(object: T): T {
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(object)).filter((name) => name !== 'constructor');
  return Object.fromEntries(
    methods.map((name) => [
      name,
      ((object as Record<string, unknown>)[name] as (...of: unknown[]) => unknown).bind(object),
    ]),
  ) as T;
}
