import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ConfigurationFile } from '@caracal/server';
import { afterEach, describe, expect, it } from 'vitest';
import { caracal } from '../cli/caracal.js';
import { CLIENT_SECRET, startAuthorizationServer } from '../oauth/authorization-server.js';
import { MiniBrowser } from '../oauth/mini-browser.js';
import { type Primary, startPrimary } from '../server/primary.js';
import { ADMIN_TOKEN, BILLING, mandateFrom, type ServerWorld, serverWorld, UPSTREAM_KEY } from '../server/server.js';
import { type CuttingProxy, cuttingProxy } from '../servers/cutting-proxy.js';
import { type TestDatabase, testDatabase } from '../servers/postgres.js';

// Rows of docs/operate/scaling.md that need a whole server: the others are held beside what they are about.
const PATIENCE = { timeout: 60_000, interval: 100 };
const run = promisify(execFile);
const ending: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function worldOf(...given: Parameters<typeof serverWorld>): Promise<ServerWorld> {
  const world = await serverWorld(...given);
  ending.push(() => world.close());
  return world;
}

async function processOf(world: ServerWorld): Promise<Primary> {
  const primary = await startPrimary(world);
  ending.push(async () => {
    if (primary.child.exitCode !== null || primary.child.signalCode !== null) return;
    primary.kill();
    await once(primary.child, 'exit');
  });
  return primary;
}

async function databaseOf(): Promise<{
  readonly database: TestDatabase;
  readonly proxy: CuttingProxy;
  readonly url: string;
}> {
  const database = await testDatabase();
  ending.push(() => database.drop());
  const url = new URL(database.url);
  const proxy = await cuttingProxy(Number(url.port));
  ending.push(() => proxy.close());
  url.port = String(proxy.port);
  return { database, proxy, url: url.href };
}

async function answerOf(gateway: string, mandate: string): Promise<string> {
  const headers = { 'X-Caracal-Resource': BILLING, Authorization: `Bearer ${mandate}` };
  const answer = await fetch(`${gateway}/v1/invoices/42`, { headers });
  const body = await answer.text();
  for (const secret of [mandate, UPSTREAM_KEY]) expect(body).not.toContain(secret);
  return answer.headers.get('x-caracal-error') ?? String(answer.status);
}

const admin = (primary: Primary, path: string, init: RequestInit = {}) =>
  fetch(`${primary.url.admin}${path}`, { ...init, headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } });

describe('one gateway’s disk', () => {
  it.skipIf(process.platform !== 'linux')(
    'that is full refuses before anything goes upstream, and by itself no more',
    async () => {
      const world = await worldOf();
      const primary = await processOf(world);
      const { gateway, tokenService } = primary.url as Record<string, string>;
      const mandate = await mandateFrom(tokenService!, 'billing:read');
      expect(await answerOf(gateway!, mandate)).toBe('200');
      const reached = world.seen.length;
      // No file of this process grows any more: each write fails as it does on a disk without room.
      const fileSize = (soft: string) => run('prlimit', ['--pid', String(primary.child.pid), `--fsize=${soft}:`]);
      await fileSize('1');
      for (let calls = 0; calls < 3; calls++) expect(await answerOf(gateway!, mandate)).toBe('audit_unavailable');
      await expect
        .poll(async () => (await admin(primary, '/readyz')).json(), PATIENCE)
        .toMatchObject({
          reasons: ['audit_unavailable'],
        });
      // Neither is a mandate issued, or a revocation taken for done.
      await expect(mandateFrom(tokenService!, 'billing:read')).rejects.toThrow('503');
      const anchors = [{ kind: 'sid', id: 'a-session' }];
      const revoked = await admin(primary, '/v1/revocations', { method: 'POST', body: JSON.stringify({ anchors }) });
      expect(revoked.status).toBe(503);
      expect(world.seen.length).toBe(reached);
      await fileSize('unlimited');
      await expect.poll(() => answerOf(gateway!, mandate), PATIENCE).toBe('200');
      await expect.poll(async () => (await admin(primary, '/readyz')).status, PATIENCE).toBe(200);
      expect(world.seen.length).toBeGreaterThan(reached);
      const verified = await caracal(['audit', 'verify', '--json', '--config', world.file], {
        env: { ...world.environment },
      });
      expect(verified.objects()[0]).toMatchObject({ ok: true });
      expect(primary.log()).toContain('"audit_write_failed"');
      expect(primary.log()).toContain('"audit_recovered"');
    },
    180_000,
  );

  it('that is lost costs what was not shipped: the rest is in PostgreSQL, heads kept elsewhere show it, and a new chain goes on', async () => {
    const { database, proxy, url } = await databaseOf();
    const withPostgres = (usual: ConfigurationFile): ConfigurationFile => ({
      ...usual,
      gateway: { ...usual.gateway, audit: { heads: 'stdout' } },
      stores: { postgres: { url: { env: 'DATABASE_URL' } } },
    });
    const world = await worldOf(withPostgres, { stdout: { write: () => true } }, { DATABASE_URL: url });
    const stored = async () => {
      const text = `SELECT count(*)::int AS n FROM caracal.audit_entries WHERE type = 'request.completed'`;
      return (await database.pool.query(text)).rows[0].n as number;
    };
    const calls = async (primary: Primary) => {
      const mandate = await mandateFrom(primary.url.tokenService!, 'billing:read');
      for (let call = 0; call < 5; call++) expect(await answerOf(primary.url.gateway!, mandate)).toBe('200');
    };
    const lose = async (primary: Primary) => {
      primary.child.kill('SIGKILL');
      await once(primary.child, 'exit');
      await rm(join(world.directory, '.caracal'), { recursive: true });
    };
    const verify = async (...more: readonly string[]) => {
      const args = ['audit', 'verify', '--from', 'postgres', '--json', '--config', world.file, ...more];
      return (await caracal(args, { env: { ...world.environment } })).objects()[0];
    };

    const first = await processOf(world);
    await calls(first);
    await expect.poll(stored, PATIENCE).toBe(5);
    proxy.cut();
    const kept = (
      await database.pool.query(
        'SELECT chain::text AS chain, max(seq)::int AS seq FROM caracal.audit_entries GROUP BY chain',
      )
    ).rows;
    await calls(first);
    const isBeyond = (line: string) => {
      const head = JSON.parse(line) as { chain: string; seq: number };
      return kept.some(({ chain, seq }) => chain === head.chain && head.seq > seq);
    };
    await expect.poll(() => first.heads().some(isBeyond), PATIENCE).toBe(true);
    const heads = first.heads();
    await lose(first);
    proxy.restore();
    const second = await processOf(world);
    await calls(second);
    await expect.poll(stored, PATIENCE).toBe(10);
    await lose(second);

    const journals = await database.pool.query('SELECT journal FROM caracal.audit_positions');
    expect(journals.rows).toHaveLength(2);
    // PostgreSQL keeps no head of what it does not have.
    expect(await verify()).toMatchObject({ ok: true, chains: 3 });
    const file = join(world.directory, 'heads.ndjson');
    await writeFile(file, `${heads.join('\n')}\n`);
    expect(await verify('--heads', file)).toMatchObject({ ok: false, failure: { reason: 'records_cut' } });
  }, 180_000);
});

describe('PostgreSQL, for connections', () => {
  it('that is away is 503 once a connection has to be looked up again, and by itself no more', async () => {
    const { proxy, url } = await databaseOf();
    const provider = {
      id: 'provider://files',
      kind: 'oauth2_authorization_code' as const,
      clientId: 'people',
      clientSecret: { env: 'CLIENT_SECRET' },
      scopes: ['openid', 'offline_access'],
      authorizationParameters: { prompt: 'consent' },
      allowPrivateNetwork: true,
    };
    let usual: ConfigurationFile | undefined;
    const world = await worldOf(
      (configuration) => {
        usual = { ...configuration, stores: { postgres: { url: { env: 'DATABASE_URL' }, audit: false } } };
        return usual;
      },
      {},
      { DATABASE_URL: url, CLIENT_SECRET },
    );
    const upstream = await startAuthorizationServer({
      clients: () => [
        {
          ...{ client_id: 'people', client_secret: CLIENT_SECRET },
          grant_types: ['authorization_code', 'refresh_token'],
          redirect_uris: [`${world.url.tokenService}/connect/callback/files`],
        },
      ],
    });
    ending.push(() => upstream.close());
    await world.write({
      ...usual!,
      providers: [{ ...provider, issuer: upstream.issuer }],
      resources: usual!.resources!.map((resource) => ({ ...resource, provider: provider.id })),
    });
    expect(await world.server.reload()).toMatchObject({ ok: true });
    const whose = { provider: provider.id, issuer: world.url.tokenService, subject: 'billing-agent' };
    const invited = await world.admin('/v1/connections/invitations', { method: 'POST', body: JSON.stringify(whose) });
    const browser = new MiniBrowser();
    const decision = await browser.open(((await invited.json()) as { connect_uri: string }).connect_uri);
    const done = await browser.signIn(await browser.submit(decision, { do: 'connect' }), 'robot@upstream');
    expect(done.text).toContain('is connected');
    const mandate = await world.mandate();
    const call = () => answerOf(world.url.gateway, mandate);
    const tokens = () => new Set(world.seen.map(({ headers }) => headers.authorization));
    // The upstream of this world takes keys, and answers a token 401.
    expect(await call()).toBe('401');
    expect([...tokens()].every((token) => /^Bearer [\w-]{20,}$/.test(token ?? ''))).toBe(true);

    proxy.cut();
    await expect.poll(call, PATIENCE).toBe('credential_unavailable');
    const reached = world.seen.length;
    for (let calls = 0; calls < 3; calls++) expect(await call()).toBe('credential_unavailable');
    expect(world.seen.length).toBe(reached);
    expect((await world.admin('/readyz')).status).toBe(200);
    const listed = await world.admin(`/v1/connections?${new URLSearchParams(whose)}`);
    expect([listed.status, await listed.json()]).toMatchObject([503, { error: 'connections_unavailable' }]);
    proxy.restore();
    await expect.poll(call, PATIENCE).toBe('401');
    expect(JSON.stringify(world.logged)).not.toContain(new URL(url).password);
  }, 180_000);
});
