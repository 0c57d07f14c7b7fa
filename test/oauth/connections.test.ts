import {
  type ConnectionKey,
  type Credential,
  type Denial,
  generateSealingKey,
  memoryConnectionStore,
  memoryTokenCache,
} from '@caracal/core';
import {
  type AuthorizationCodeOptions,
  type AuthorizationCodeProvider,
  oauth2AuthorizationCode,
  resealConnections,
} from '@caracal/oauth';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CLIENT_SECRET } from './authorization-server.js';
import { adjustableClock } from './clock.js';
import { type ConnectWorld, connectWorld, PROVIDER_ID } from './connect-world.js';
import { credentialRequest, tokenOf } from './requests.js';
import { startGatewayProcess } from './served-stores.js';

const KEYS = [{ id: 'k1', key: generateSealingKey() }];
const store = memoryConnectionStore();
let failingPuts = 0;
const connections = {
  get: store.get.bind(store),
  remove: store.remove.bind(store),
  put: (...of: Parameters<typeof store.put>) => {
    if (failingPuts > 0) {
      failingPuts--;
      throw new Error('the store is down');
    }
    return store.put(...of);
  },
};
let world: ConnectWorld;

beforeAll(async () => {
  world = await connectWorld({ sealing: KEYS, connections });
});

afterEach(() => {
  world.upstream.before = undefined;
  world.upstream.answered = undefined;
  failingPuts = 0;
});

afterAll(() => world.close());

const keyOf = (subject: string): ConnectionKey => ({
  zoneId: 'default',
  providerId: PROVIDER_ID,
  owner: { issuer: world.signIn.issuer, subject },
});
const requestOf = (subject: string, of: AuthorizationCodeProvider) =>
  credentialRequest(of, { subject, issuer: world.signIn.issuer });
const tokenFor = (subject: string, of: AuthorizationCodeProvider) => tokenOf(of.attach(requestOf(subject, of)));

/** Another gateway process's provider, with the same stores. */
const gateway = (changes: Partial<AuthorizationCodeOptions> = {}) =>
  oauth2AuthorizationCode({ ...world.options, ...changes });

/** Makes the access token of a connection be over, or about to be. Answers it. */
async function aged(subject: string, leftMs = -1_000): Promise<string> {
  const { connections: those } = world.provider.connectable;
  const { tokens } = (await those.read(keyOf(subject)))!;
  await those.connect(keyOf(subject), {
    ...tokens,
    expiresAtMs: world.clock.now() + leftMs,
    obtainedAtMs: world.clock.now() - 600_000,
  });
  return tokens.accessToken;
}

async function connected(subject: string, leftMs?: number): Promise<string> {
  await world.connect(subject);
  const token = await aged(subject, leftMs);
  world.upstream.tokenRequests.length = 0;
  world.events.length = 0;
  return token;
}

/** The refresh tokens that were presented, in order. */
const presented = (): unknown[] =>
  world.upstream.tokenRequests
    .filter(({ grantType }) => grantType === 'refresh_token')
    .map(({ parameters }) => parameters.refresh_token);

describe('refreshing a connection', () => {
  it('presents each refresh token once, however many requests and gateways want it, even without a common lock', async () => {
    await connected('alice');
    const gateways = [gateway(), gateway(), gateway({ tokenCache: memoryTokenCache() })];
    for (let round = 1; round <= 3; round++) {
      const tokens = await Promise.all(
        gateways.flatMap((each) => Array.from({ length: 30 }, () => tokenFor('alice', each))),
      );
      expect(new Set(tokens).size).toBe(1);
      expect(tokens[0]).toMatch(/^[\w-]{20,}$/);
      expect(new Set(presented()).size).toBe(round);
      expect(presented()).toHaveLength(round);
      await aged('alice');
      world.clock.advance(5_001);
    }
  });

  it('refreshes in the background ahead of the end, and lets the old token serve while that fails', async () => {
    const first = await connected('bob', 45_000);
    const one = gateway();
    world.upstream.before = async (request) => void request.socket.destroy();
    expect(await tokenFor('bob', one)).toBe(first);
    await expect
      .poll(() => world.events.map(({ type }) => type), { timeout: 20_000 })
      .toContain('connection_refresh_failed');
    expect(await tokenFor('bob', one)).toBe(first);
    world.upstream.before = undefined;
    world.clock.advance(6_001);
    await expect.poll(() => tokenFor('bob', one), { timeout: 20_000 }).not.toBe(first);
    expect(presented()).toHaveLength(1);
  });

  it('saves what was rotated although the store fails for a while', async () => {
    await connected('carol');
    world.upstream.answered = async ({ grantType }) => {
      if (grantType === 'refresh_token') failingPuts = 3;
    };
    const token = await tokenFor('carol', gateway());
    expect(token).toMatch(/^[\w-]{20,}$/);
    expect(await tokenFor('carol', gateway())).toBe(token);
    expect(presented()).toHaveLength(1);
  });

  it('asks for a new connection once the refresh token is refused, without asking the server again', async () => {
    await connected('dora');
    const { connections: those } = world.provider.connectable;
    const { tokens } = (await those.read(keyOf('dora')))!;
    await those.connect(keyOf('dora'), {
      ...tokens,
      refreshToken: 'not-one-of-theirs',
      expiresAtMs: world.clock.now() - 1,
    });
    const one = gateway();
    for (let i = 0; i < 5; i++) expect(await tokenFor('dora', one)).toBe('connection_required connection_lost');
    const denial = (await one.attach(requestOf('dora', one))) as Denial;
    expect(denial.members?.connectUri).toContain('/connect?t=');
    expect(presented()).toHaveLength(1);
    expect(world.events).toMatchObject([{}, { type: 'connection_lost' }]);
    await world.connect('dora');
    world.clock.advance(5_001);
    expect(await tokenFor('dora', one)).toMatch(/^[\w-]{20,}$/);
  });

  it('gives back what it obtained for an account that was disconnected meanwhile', async () => {
    await connected('erin');
    world.upstream.answered = async ({ grantType }) => {
      if (grantType === 'refresh_token') await world.service.disconnect(keyOf('erin'));
    };
    world.upstream.revoked.length = 0;
    expect(await tokenFor('erin', gateway())).toBe('connection_required not_connected');
    expect(world.upstream.revoked).toHaveLength(2);
    expect(new Set(world.upstream.revoked).size).toBe(2);
  });

  it('renews once after a refusal, across gateways, and not again for a minute', async () => {
    await connected('frank', 500_000);
    const [a, b] = [gateway(), gateway()];
    const refused = (await a.attach(requestOf('frank', a))) as Credential;
    const refusedB = (await b.attach(requestOf('frank', b))) as Credential;
    const renewed = await Promise.all(
      Array.from({ length: 20 }, () => tokenOf(a.renew(requestOf('frank', a), refused))),
    );
    expect(new Set(renewed).size).toBe(1);
    expect(renewed[0]).not.toBe(refused.secrets[0]);
    expect(await tokenOf(b.renew(requestOf('frank', b), refusedB))).toBe(renewed[0]);
    const again = (await b.attach(requestOf('frank', b))) as Credential;
    expect(await b.renew(requestOf('frank', b), again)).toBe(again);
    expect(presented()).toHaveLength(1);
  });

  it('seals with the new key in the background, and fails cleanly without any that fits', async () => {
    await connected('grace', 500_000);
    const rotated = gateway({ sealing: [{ id: 'k2', key: generateSealingKey() }, ...KEYS] });
    const sealedBy = async () => (await connections.get(keyOf('grace')))?.sealed.split('.')[1];
    expect(await sealedBy()).toBe('k1');
    expect(await tokenFor('grace', rotated)).toMatch(/^[\w-]{20,}$/);
    await expect.poll(sealedBy, { timeout: 20_000 }).toBe('k2');
    world.events.length = 0;
    for (const sealing of [KEYS, [{ id: 'k2', key: generateSealingKey() }]]) {
      const wrong = gateway({ sealing });
      for (let i = 0; i < 5; i++)
        expect(await tokenFor('grace', wrong)).toBe('connection_required connection_unreadable');
      const denial = (await wrong.attach(requestOf('grace', wrong))) as Denial;
      expect(denial.members?.connectUri).toContain('/connect?t=');
    }
    expect(world.events.map(({ type, reason }) => [type, reason])).toEqual([
      ['connection_unreadable', 'sealing_key_unknown'],
      ['connection_unreadable', 'sealed_not_openable'],
    ]);
    expect(await world.service.status(keyOf('grace'))).toMatchObject({ state: 'unreadable', connectedAt: undefined });
    await world.connect('grace');
    expect(await sealedBy()).toBe('k1');
    expect(await tokenFor('grace', gateway())).toMatch(/^[\w-]{20,}$/);
  });

  it('does not give a subject the shared account because its own does not open', async () => {
    await connected('greta', 500_000);
    const sealed = (await connections.get(keyOf('greta')))!;
    const shared: ConnectionKey = { ...keyOf('greta'), owner: 'shared' };
    const own = gateway({ shared: true, sealing: [{ id: 'k9', key: generateSealingKey() }] });
    await own.connectable.connections.connect(shared, {
      accessToken: 'shared-token',
      refreshToken: undefined,
      expiresAtMs: undefined,
      obtainedAtMs: world.clock.now(),
      scope: undefined,
    });
    expect(await tokenFor('somebody', own)).toBe('shared-token');
    for (let i = 0; i < 3; i++) expect(await tokenFor('greta', own)).toBe('connection_required connection_unreadable');
    await connections.remove(shared, (await connections.get(shared))!.version);
    expect(await connections.get(keyOf('greta'))).toEqual(sealed);
  });

  it('leaves a connection alone while it is refreshed, and loses nothing where another process does not', async () => {
    await connected('gustav');
    const fresh = { id: 'k4', key: generateSealingKey() };
    const ring = [fresh, ...KEYS];
    const { connections: rotated } = gateway({ sealing: ring }).connectable;
    const outcomes: string[] = [];
    // The refreshing process has the new key too, and has not put it first yet.
    const refreshing = gateway({ sealing: [...KEYS, fresh] });
    world.upstream.answered = async ({ grantType }) => {
      if (grantType !== 'refresh_token') return;
      outcomes.push(await rotated.reseal(keyOf('gustav')));
      // As a process would that knows nothing of the mark.
      const stored = (await connections.get(keyOf('gustav')))!;
      await connections.put(keyOf('gustav'), stored.version, stored);
    };
    const token = await tokenFor('gustav', refreshing);
    expect(token).toMatch(/^[\w-]{20,}$/);
    expect(outcomes).toEqual(['busy']);
    expect((await refreshing.connectable.connections.read(keyOf('gustav')))?.tokens.accessToken).toBe(token);
    expect(await rotated.reseal(keyOf('gustav'))).toBe('resealed');
    expect(await rotated.reseal(keyOf('gustav'))).toBe('current');
    expect(await tokenFor('gustav', gateway({ sealing: [fresh] }))).toBe(token);
    expect(presented()).toHaveLength(1);
  });

  it('seals with the new key what nobody uses, when it is told to', async () => {
    await connected('gina', 500_000);
    const fresh = { id: 'k3', key: generateSealingKey() };
    expect(await resealConnections(store, [gateway({ sealing: [fresh, ...KEYS] })])).toMatchObject({
      failed: 0,
      busy: 0,
    });
    expect((await connections.get(keyOf('gina')))?.sealed.split('.')[1]).toBe('k3');
    expect(await tokenFor('gina', gateway({ sealing: [fresh] }))).toMatch(/^[\w-]{20,}$/);
    // Back, for those who come after.
    await resealConnections(store, [gateway({ sealing: [...KEYS, fresh] })]);
  });

  it('opens no connection that was copied to another subject', async () => {
    await connected('heidi', 500_000);
    const stolen = (await connections.get(keyOf('heidi')))!;
    await connections.put(keyOf('mallory'), undefined, stolen);
    expect(await tokenFor('mallory', gateway())).toBe('connection_required connection_unreadable');
    await connections.remove(keyOf('mallory'), (await connections.get(keyOf('mallory')))!.version);
  });

  it('fails closed while the store is down, for the subjects of whom nothing is known', async () => {
    const down = gateway({ connections: { ...connections, get: () => Promise.reject(new Error('down')) } });
    expect(await tokenFor('alice', down)).toBe('credential_unavailable connection_store_failed');
  });
});

describe('gateways in processes of their own', () => {
  const config = () => ({
    issuer: world.upstream.issuer,
    clientId: 'gateway',
    clientSecret: CLIENT_SECRET,
    sealingKey: KEYS[0]!.key.reveal(),
    connection: { providerId: PROVIDER_ID, publicUrl: world.publicUrl, subjectIssuer: world.signIn.issuer },
  });

  it('present each refresh token of one connection once', async () => {
    await connected('ivan');
    // Real time: the children know no other clock.
    const { connections: those } = world.provider.connectable;
    const expire = async () => {
      const { tokens } = (await those.read(keyOf('ivan')))!;
      await those.connect(keyOf('ivan'), { ...tokens, expiresAtMs: Date.now() - 1_000 });
    };
    await expire();
    const stores = { tokenCache: memoryTokenCache(), connections };
    const processes = await Promise.all([startGatewayProcess(config(), stores), startGatewayProcess(config(), stores)]);
    const tokens = (await Promise.all(processes.map((each) => each.ask(50, 'ivan')))).flat();
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).toMatch(/^[\w-]{20,}$/);
    expect(presented()).toHaveLength(1);
    for (const each of processes) each.kill();
    await Promise.all(processes.map(({ ended }) => ended));
  });

  it('end in a clear reconnection, never a loop, where one is killed between rotation and saving', async () => {
    await connected('judy');
    const { connections: those } = world.provider.connectable;
    const { tokens } = (await those.read(keyOf('judy')))!;
    await those.connect(keyOf('judy'), { ...tokens, expiresAtMs: Date.now() - 1_000 });
    const stores = { tokenCache: memoryTokenCache(), connections };
    // The first put says that the refresh token is being presented, the second would save what came of it.
    let puts = 0;
    const child = await startGatewayProcess(config(), stores, async ({ method }, process) => {
      if (method === 'put' && ++puts === 2) {
        process.kill('SIGKILL');
        await new Promise(() => {});
      }
    });
    await expect(child.ask(10, 'judy')).rejects.toThrow('has ended');
    expect(presented()).toEqual([tokens.refreshToken]);

    const clock = adjustableClock();
    const next = gateway({ timeoutMs: 300, clock });
    const denial = (await next.attach(requestOf('judy', next))) as Denial;
    expect([denial.code, denial.reason]).toEqual(['credential_unavailable', 'connection_refreshed_elsewhere']);
    expect(denial.members?.retryAfterSeconds ?? 1).toBeGreaterThan(0);
    expect(presented()).toHaveLength(1);
    clock.advance(60_000);
    for (let i = 0; i < 5; i++) expect(await tokenFor('judy', next)).toBe('connection_required connection_lost');
    expect(presented()).toHaveLength(2);
    clock.advance(600_000);
    expect(await tokenFor('judy', gateway({ clock }))).toBe('connection_required connection_lost');
    expect(presented()).toHaveLength(2);
    await world.connect('judy');
    clock.advance(5_001);
    expect(await tokenFor('judy', next)).toMatch(/^[\w-]{20,}$/);
  });
});
