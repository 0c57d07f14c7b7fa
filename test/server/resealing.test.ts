import { generateSealingKey } from '@caracal/core';
import type { ConfigurationFile } from '@caracal/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuthorizationServer, CLIENT_SECRET, startAuthorizationServer } from '../oauth/authorization-server.js';
import { MiniBrowser } from '../oauth/mini-browser.js';
import { type TestDatabase, testDatabase } from '../servers/postgres.js';
import { type ServerWorld, serverWorld } from './server.js';

const PATIENCE = { timeout: 60_000 };
const PROVIDER = 'provider://files';
const JSON_BODY = { 'Content-Type': 'application/json' };
const SECRETS = {
  CLIENT_SECRET,
  KEY_1: generateSealingKey().reveal(),
  KEY_2: generateSealingKey().reveal(),
  KEY_3: generateSealingKey().reveal(),
};

describe.each(['PostgreSQL', 'files'] as const)('connections in %s', (where) => {
  let database: TestDatabase | undefined;
  let upstream: AuthorizationServer;
  let world: ServerWorld;

  const keys = (...ids: number[]) => ({
    sealing: { keys: ids.map((id) => ({ id: `k${id}`, key: { env: `KEY_${id}` } })) },
  });
  const configured = (usual: ConfigurationFile, more: Partial<ConfigurationFile>): ConfigurationFile => ({
    ...usual,
    providers: [
      {
        id: PROVIDER,
        kind: 'oauth2_authorization_code',
        title: 'Files',
        issuer: upstream?.issuer ?? 'http://127.0.0.1:9',
        clientId: 'people',
        scopes: ['openid', 'offline_access'],
        authorizationParameters: { prompt: 'consent' },
        allowPrivateNetwork: true,
        clientSecret: { env: 'CLIENT_SECRET' },
      },
    ],
    resources: usual.resources!.map((resource) => ({ ...resource, provider: PROVIDER })),
    ...(database === undefined ? {} : { stores: { postgres: { url: { env: 'DATABASE_URL' } } } }),
    ...more,
  });
  let usual: ConfigurationFile;
  const use = async (...ids: number[]) => {
    await world.write(configured(usual, keys(...ids)));
    expect(await world.server.reload()).toMatchObject({ ok: true, unchanged: [] });
  };
  const events = (event: string) => world.logged.filter((entry) => entry.event === event);
  const whose = () => ({ provider: PROVIDER, issuer: world.url.tokenService, subject: 'billing-agent' });
  const status = async () => (await world.admin(`/v1/connections?${new URLSearchParams(whose())}`)).json();

  async function connect(): Promise<void> {
    const body = JSON.stringify(whose());
    const invited = await world.admin('/v1/connections/invitations', { method: 'POST', headers: JSON_BODY, body });
    const { connect_uri } = (await invited.json()) as { connect_uri: string };
    const browser = new MiniBrowser();
    const consent = await browser.submit(await browser.open(connect_uri), { do: 'connect' });
    expect((await browser.signIn(consent, 'robot@upstream')).text).toContain('Files is connected');
  }

  async function tokenSent(): Promise<string | undefined> {
    const before = world.seen.length;
    await world.call(await world.mandate());
    return world.seen[before]?.headers.authorization;
  }

  // They are in a file that is sealed too, and a new one is sealed with the first key.
  async function signingKeysFollow(): Promise<void> {
    const rotated = await world.admin('/v1/token-service/rotate-keys', { method: 'POST' });
    expect(rotated.status).toBe(200);
  }

  beforeAll(async () => {
    database = where === 'PostgreSQL' ? await testDatabase() : undefined;
    const url = database === undefined ? {} : { DATABASE_URL: database.url };
    world = await serverWorld(
      (configuration) => {
        usual = configuration;
        return configured(configuration, keys(1));
      },
      {},
      { ...SECRETS, ...url },
    );
    upstream = await startAuthorizationServer({
      clients: () => [
        {
          client_id: 'people',
          client_secret: CLIENT_SECRET,
          grant_types: ['authorization_code', 'refresh_token'],
          redirect_uris: [`${world.url.tokenService}/connect/callback/files`],
        },
      ],
    });
    await use(1);
    await connect();
  });

  afterAll(async () => {
    await world?.close();
    await upstream?.close();
    await database?.drop();
  });

  it('are sealed anew in the background after a reload with a new first key; then the old key can go', async () => {
    expect(events('resealing_began')).toEqual([]);
    await use(2, 1);
    await expect.poll(() => events('resealing_ended').length, PATIENCE).toBe(1);
    expect(events('resealing_began')).toMatchObject([{ level: 'info', key: 'k2' }]);
    expect(events('resealing_ended')).toMatchObject([
      { level: 'info', key: 'k2', resealed: 1, current: 0, unreadable: 0, busy: 0, failed: 0, others: 0 },
    ]);
    await signingKeysFollow();
    await use(2);
    expect(await tokenSent()).toMatch(/^Bearer [\w-]{20,}$/);
    expect(await status()).toMatchObject({ state: 'connected' });
    // One key: there is nothing to seal anew with it.
    expect(events('resealing_began')).toHaveLength(1);
    if (database === undefined) return;
    const { rows } = await database.pool.query(
      'SELECT zone, provider, issuer, subject, content FROM caracal.connections',
    );
    expect(rows).toMatchObject([
      { zone: 'default', provider: PROVIDER, issuer: world.url.tokenService, subject: 'billing-agent' },
    ]);
    expect(JSON.parse(rows[0].content).sealed).toMatch(/^v1\.k2\./);
  }, 120_000);

  // A file that is in use is nobody else's to change.
  it.runIf(where === 'PostgreSQL')(
    'are asked for anew where no key opens them: not a crash, not 401, nothing sent, and the log says why',
    async () => {
      const sealedBy = (from: string, to: string) =>
        database!.pool.query('UPDATE caracal.connections SET content = replace(content, $1, $2)', [from, to]);
      // As a process with another ring would leave it.
      await sealedBy('"v1.k2.', '"v1.elsewhere.');
      await use(3, 2);
      await expect.poll(() => events('resealing_ended').length, PATIENCE).toBe(2);
      expect(events('resealing_ended')[1]).toMatchObject({ level: 'warn', key: 'k3', resealed: 0, unreadable: 1 });
      const before = world.seen.length;
      const refused = await world.call(await world.mandate());
      const body = (await refused.json()) as { error: string; connect_uri: string };
      expect([refused.status, body.error]).toEqual([403, 'connection_required']);
      expect(body.connect_uri).toMatch(/\/connect\?t=/);
      expect(world.seen).toHaveLength(before);
      expect(events('oauth_connection_unreadable')).toMatchObject([{ level: 'warn', reason: 'sealing_key_unknown' }]);
      expect(await status()).toMatchObject({ state: 'unreadable', renewable: false });
      const requestId = refused.headers.get('x-caracal-request-id')!;
      const records = await (await world.admin(`/v1/audit/requests/${requestId}`)).text();
      expect(records).toContain('"reason":"connection_unreadable"');
      // Its key is back: it opens again, and is sealed anew by being read.
      await sealedBy('"v1.elsewhere.', '"v1.k2.');
      await expect.poll(tokenSent, PATIENCE).toMatch(/^Bearer [\w-]{20,}$/);
      // And where it does not come back, its owner connects again.
      await sealedBy('"v1.k', '"v1.lost');
      await expect.poll(async () => (await world.call(await world.mandate())).status, PATIENCE).toBe(403);
      await connect();
      await expect.poll(tokenSent, PATIENCE).toMatch(/^Bearer [\w-]{20,}$/);
      const logged = JSON.stringify(world.logged);
      for (const secret of Object.values(SECRETS)) expect(logged).not.toContain(secret);
    },
    120_000,
  );

  it.runIf(where === 'PostgreSQL')(
    'are sealed anew at a start, too',
    async () => {
      const environment = { ...SECRETS, DATABASE_URL: database!.url };
      const other = await serverWorld((configuration) => configured(configuration, keys(1, 3)), {}, environment);
      try {
        const ended = () => other.logged.filter(({ event }) => event === 'resealing_ended');
        await expect.poll(() => ended().length, PATIENCE).toBe(1);
        expect(ended()).toMatchObject([{ level: 'info', key: 'k1', resealed: 1, failed: 0 }]);
        const { rows } = await database!.pool.query('SELECT content FROM caracal.connections');
        expect(JSON.parse(rows[0].content).sealed).toMatch(/^v1\.k1\./);
      } finally {
        await other.close();
      }
    },
    120_000,
  );
});
