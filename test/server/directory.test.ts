import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { putResource, removeResource } from '@caracal/postgres';
import type { ConfigurationFile } from '@caracal/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caracal } from '../cli/caracal.js';
import { type CuttingProxy, cuttingProxy } from '../servers/cutting-proxy.js';
import { type TestDatabase, testDatabase } from '../servers/postgres.js';
import { BILLING, mandateFrom, type ServerWorld, serverWorld, UPSTREAM_KEY } from './server.js';

const ORDERS = 'resource://orders-api';
const LATER = 'resource://later';
const PATIENCE = { timeout: 60_000 };

let database: TestDatabase;
let proxy: CuttingProxy;
let environment: { DATABASE_URL: string };
const worlds: ServerWorld[] = [];

const followed = (usual: ConfigurationFile): ConfigurationFile => ({
  ...usual,
  tokenService: {
    ...usual.tokenService!,
    applications: [
      {
        ...usual.tokenService!.applications![0]!,
        grants: [BILLING, ORDERS].map((resource) => ({ resource, scopes: ['billing:read'] })),
      },
    ],
  },
  stores: { postgres: { url: { env: 'DATABASE_URL' }, audit: false, connections: false, resources: true } },
});

beforeAll(async () => {
  database = await testDatabase();
  const url = new URL(database.url);
  proxy = await cuttingProxy(Number(url.port));
  url.port = String(proxy.port);
  environment = { DATABASE_URL: url.href };
  worlds.push(await serverWorld(followed, {}, environment));
}, 120_000);
afterAll(async () => {
  proxy?.restore();
  for (const world of worlds) await world.close();
  await proxy?.close();
  await database?.drop();
});

/** What a row says of an upstream like that of the file. */
const document = (world: ServerWorld, more: object = {}) => {
  const [{ upstreamUrl, provider } = {}] = world.server.configuration.resources;
  const operations = [{ method: 'GET', path: '/v1/invoices/{id}', scopes: ['billing:read'] }];
  return { upstreamUrl, provider, allowPrivateNetwork: true, scopes: ['billing:read'], operations, ...more };
};
const put = (identifier: string, row: object) =>
  putResource(database.pool, { zone: 'default', identifier, document: row });
const remove = (identifier: string) => removeResource(database.pool, { zone: 'default', identifier });
async function answerOf(world: ServerWorld, resource: string): Promise<string> {
  const mandate = await mandateFrom(world.url.tokenService, 'billing:read', resource);
  const answer = await world.call(mandate, undefined, { 'X-Caracal-Resource': resource });
  return answer.headers.get('x-caracal-error') ?? String(answer.status);
}
const metric = async (world: ServerWorld, name: string) => {
  const text = await (await world.admin('/metrics')).text();
  return Number(new RegExp(`^caracal_resource_directory_${name} (.*)$`, 'm').exec(text)?.[1]);
};
const events = ({ logged }: ServerWorld, event: string) => logged.filter((entry) => entry.event === event);

describe('a server with a resource directory in PostgreSQL', () => {
  it('serves a row as soon as it is there, as it is changed, and until it is removed', async () => {
    const [world] = worlds as [ServerWorld];
    expect(await answerOf(world, ORDERS)).toBe('resource_not_permitted');
    await put(ORDERS, document(world));
    await expect.poll(() => answerOf(world, ORDERS), PATIENCE).toBe('200');
    expect(world.seen.at(-1)?.headers['x-api-key']).toBe(UPSTREAM_KEY);
    expect(await metric(world, 'resources')).toBe(1);
    await put(ORDERS, document(world, { operations: [{ method: 'GET', path: '/v2' }] }));
    await expect.poll(() => answerOf(world, ORDERS), PATIENCE).toBe('operation_not_permitted');
    const seen = world.seen.length;
    await remove(ORDERS);
    await expect.poll(() => answerOf(world, ORDERS), PATIENCE).toBe('resource_not_permitted');
    expect(world.seen.length).toBe(seen);
    expect(await answerOf(world, BILLING)).toBe('200');
    expect(world.logged.filter(({ event }) => event.startsWith('resources_'))).toEqual([]);
  }, 120_000);

  it('refuses a row that is wrong or stands in the file, says which and why, and nothing else suffers', async () => {
    const [world] = worlds as [ServerWorld];
    const wrong: Record<string, object> = {
      'resource://a': document(world, { provider: 'provider://biling' }),
      'resource://b': document(world, { upstreamURL: 'http://127.0.0.1' }),
      'resource://c': document(world, { tls: { key: { file: '/etc/passwd' } } }),
      'resource://d': document(world, { provider: { kind: 'api_key', secret: 'canary' } }),
      'resource://e': document(world, { upstreamUrl: 'https://elsewhere.example' }),
      [BILLING]: document(world, { upstreamUrl: 'http://127.0.0.1:9' }),
    };
    for (const [identifier, row] of Object.entries(wrong)) await put(identifier, row);
    await put(ORDERS, document(world));
    await expect.poll(() => answerOf(world, ORDERS), PATIENCE).toBe('200');
    await expect.poll(() => metric(world, 'refused_rows'), PATIENCE).toBe(Object.keys(wrong).length);
    expect(await answerOf(world, BILLING)).toBe('200');
    const told = events(world, 'resources_row_refused').map(({ message }) => String(message));
    expect(told).toHaveLength(Object.keys(wrong).length);
    expect(told.find((text) => text.includes('"resource://a"'))).toContain('did you mean provider://billing?');
    expect(told.find((text) => text.includes(`"${BILLING}"`))).toContain('equal without case');
    expect(JSON.stringify(world.logged)).not.toContain('canary');
    const status = (await (await world.admin('/v1/status')).json()) as { resourceDirectory: { refused: unknown[] } };
    expect(status.resourceDirectory).toMatchObject({ resources: 1, fault: null });
    expect(status.resourceDirectory.refused).toHaveLength(Object.keys(wrong).length);
  }, 120_000);

  it('is understood by check and explain', async () => {
    const [world] = worlds as [ServerWorld];
    const cwd = world.directory;
    const env = { ...world.environment };
    const checked = await caracal(['check', '--json', '--config', world.file], { cwd, env });
    expect({ code: checked.code, err: checked.err }, checked.out).toEqual({ code: 1, err: '' });
    expect(checked.objects()).toContainEqual({ check: 'directory', result: 'failed', resources: 1 });
    expect(checked.objects()).toContainEqual(
      expect.objectContaining({ check: 'directory row', identifier: 'resource://b', result: 'failed' }),
    );
    expect(checked.out).not.toContain('canary');
    for (const identifier of ['a', 'b', 'c', 'd', 'e']) await remove(`resource://${identifier}`);
    await remove(BILLING);
    const again = await caracal(['check', '--config', world.file], { cwd, env });
    expect({ code: again.code, err: again.err }).toEqual({ code: 0, err: '' });
    expect(again.out).toContain('the resource directory in PostgreSQL: 1 resource, 0 refused');
    await expect.poll(() => metric(world, 'refused_rows'), PATIENCE).toBe(0);
    const mandate = await mandateFrom(world.url.tokenService, 'billing:read', ORDERS);
    const explained = await world.admin('/v1/explain', {
      method: 'POST',
      body: JSON.stringify({
        method: 'GET',
        target: '/v1/invoices/42',
        headers: ['Host', 'gateway.example', 'Authorization', `Bearer ${mandate}`, 'X-Caracal-Resource', ORDERS],
      }),
    });
    expect(await explained.json()).toMatchObject({ decision: 'allowed', resource: ORDERS });
  }, 120_000);

  it('goes on with what it knows while PostgreSQL is away, over a reload too, and reads again after it', async () => {
    const [world] = worlds as [ServerWorld];
    proxy.cut();
    await put(LATER, document(world));
    await put(ORDERS, document(world, { operations: [{ method: 'GET', path: '/v2' }] }));
    await expect.poll(() => metric(world, 'up'), PATIENCE).toBe(0);
    expect(events(world, 'resources_unavailable')).toHaveLength(1);
    expect(await answerOf(world, ORDERS)).toBe('200');
    const { version } = world.server.status().configuration;
    await world.write({ ...JSON.parse(JSON.stringify(world.server.configuration)), providers: otherProvider(world) });
    expect(await (await world.admin('/v1/reload', { method: 'POST' })).json()).toMatchObject({ ok: true });
    expect(world.server.status().configuration.version).not.toBe(version);
    expect(await answerOf(world, ORDERS)).toBe('200');
    expect(await answerOf(world, BILLING)).toBe('200');
    expect((await world.admin('/readyz')).status).toBe(200);
    proxy.restore();
    await expect.poll(() => answerOf(world, ORDERS), PATIENCE).toBe('operation_not_permitted');
    expect(await metric(world, 'resources')).toBe(2);
    expect(events(world, 'resources_recovered')).toHaveLength(1);
    await remove(LATER);
  }, 120_000);

  it('starts without PostgreSQL: serves the file, and answers 503 for what it cannot know yet', async () => {
    proxy.cut();
    const world = await serverWorld(followed, {}, environment);
    worlds.push(world);
    await put(ORDERS, document(world));
    expect(await answerOf(world, BILLING)).toBe('200');
    const seen = world.seen.length;
    expect(await answerOf(world, ORDERS)).toBe('directory_unavailable');
    expect(world.seen.length).toBe(seen);
    const ready = await world.admin('/readyz');
    expect([ready.status, await ready.json()]).toMatchObject([503, { reasons: ['directory_unavailable'] }]);
    const records = await (await world.admin('/v1/audit/records?decision=denied')).text();
    expect(records).toContain('"error":"directory_unavailable"');
    proxy.restore();
    await expect.poll(() => answerOf(world, ORDERS), PATIENCE).toBe('200');
    expect((await world.admin('/readyz')).status).toBe(200);
    const { password } = new URL(environment.DATABASE_URL);
    for (const { logged } of worlds) expect(JSON.stringify(logged)).not.toContain(password);
  }, 120_000);

  it('is in the profile of a client with its mount, and where it cannot be, the profile says so', async () => {
    const [world] = worlds as [ServerWorld];
    await put(ORDERS, document(world, { mount: { host: 'orders.example', pathPrefix: '/v2/' } }));
    const mounted = {
      zone: 'elsewhere',
      identifier: LATER,
      document: document(world, { mount: { pathPrefix: '/x' } }),
    };
    await putResource(database.pool, mounted);
    const base = JSON.parse(await readFile(world.file, 'utf8')) as ConfigurationFile;
    const [application] = base.tokenService!.applications!;
    const grants = [...application!.grants!, { resource: LATER, scopes: ['billing:read'] }];
    const file = join(world.directory, 'profile.config.json');
    const configuration: ConfigurationFile = {
      ...base,
      gateway: { ...base.gateway, publicUrl: 'https://gateway.example' },
      tokenService: {
        ...base.tokenService,
        issuer: 'https://tokens.example',
        applications: [{ ...application!, grants }],
      },
    };
    await writeFile(file, JSON.stringify(configuration));
    const profile = async (args: readonly string[], env: Record<string, string> = { ...world.environment }) => {
      const ran = await caracal(['profile', '--config', file, ...args], { cwd: world.directory, env });
      expect({ code: ran.code, err: ran.err }).toEqual({ code: 0, err: ran.err });
      expect(ran.out + ran.err).not.toContain(new URL(environment.DATABASE_URL).password);
      return ran;
    };
    const urlsOf = ({ resources }: { resources: { identifier: string; url?: string }[] }) =>
      Object.fromEntries(resources.map(({ identifier, url }) => [identifier, url]));
    const billing = { [BILLING]: 'https://gateway.example' };

    const whole = await profile(['--format', 'file']);
    expect(urlsOf(JSON.parse(whole.out))).toEqual({
      ...billing,
      [ORDERS]: 'https://orders.example/v2',
      [LATER]: undefined,
    });
    expect(whole.err.split('\n')).toEqual([
      `note: the URL of ${LATER} is left out, a mount it may have is not known: the resource directory has no such row`,
      '',
    ]);
    proxy.cut();
    try {
      const away = await profile(['--json']);
      expect(urlsOf(away.objects()[0])).toEqual({ ...billing, [ORDERS]: undefined, [LATER]: undefined });
      expect(away.errors()).toMatchObject([
        { level: 'note', message: expect.stringMatching(/ resource:\/\/orders-api is left out.*cannot be reached/) },
        { level: 'note' },
      ]);
      const { DATABASE_URL: _, ...without } = world.environment;
      expect((await profile(['--format', 'file'], without)).err).toContain('DATABASE_URL');
      // It has no URLs of resources, and asks nobody for them.
      const variables = await profile([]);
      expect(variables.err).toBe('');
      expect(variables.out).toContain(`CARACAL_RESOURCES=${BILLING},${ORDERS},${LATER}\n`);
    } finally {
      proxy.restore();
    }
  }, 120_000);
});

/** The same credential, and one more that nothing uses. */
function otherProvider({ server }: ServerWorld) {
  const { providers } = server.configuration;
  return JSON.parse(JSON.stringify([...providers, { ...providers[0], id: 'provider://other' }]));
}
