import { noCredential, type ResourceDefinition } from '@caracal/core';
import {
  type FeedDirectory,
  listResources,
  type PostgresResourceDirectory,
  type PostgresWarning,
  postgresConnectionStore,
  postgresResourceDirectory,
  postgresResourceFeed,
  putResource,
  removeResource,
} from '@caracal/postgres';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeWorld, RESOURCE } from '../gateway/fake-world.js';
import { type CuttingProxy, cuttingProxy } from '../servers/cutting-proxy.js';
import { quietPool, type TestDatabase, testDatabase } from '../servers/postgres.js';
import { until } from './until.js';

let database: TestDatabase;
let proxy: CuttingProxy;
let pool: pg.Pool;
const opened: { close(): Promise<unknown> }[] = [];

beforeEach(async () => {
  database = await testDatabase();
  const url = new URL(database.url);
  proxy = await cuttingProxy(Number(url.port || 5432));
  url.hostname = '127.0.0.1';
  url.port = String(proxy.port);
  pool = quietPool(url.href);
});
afterEach(async () => {
  proxy.restore();
  for (const each of opened.splice(0)) await each.close();
  await Promise.all([pool.end(), proxy.close()]);
  await database.drop();
});

const KEY = { zoneId: 'default', providerId: 'p', owner: { issuer: 'https://issuer.example', subject: 'alice' } };
const CONTENT = { id: 'account', sealed: 'v1.sealed-canary' };

describe('postgresConnectionStore', () => {
  it('throws within its deadline while PostgreSQL does not answer, and works again after it', async () => {
    const store = postgresConnectionStore({ pool, timeoutMs: 300 });
    const change = await store.put(KEY, undefined, CONTENT);
    expect(change).not.toBe('conflict');
    proxy.swallow();
    await expect(store.get(KEY)).rejects.toMatchObject({ code: 'timeout' });
    proxy.restore();
    await until('it answers', async () => (await Promise.resolve(store.get(KEY)).catch(() => undefined)) !== undefined);
  });

  it('lets only so much wait for PostgreSQL', async () => {
    const store = postgresConnectionStore({ pool, timeoutMs: 2000 });
    proxy.swallow();
    const asked = Array.from({ length: 400 }, () => Promise.resolve(store.get(KEY)).catch(({ code }) => code));
    const codes = await Promise.all(asked);
    expect(codes.filter((code) => code === 'busy')).toHaveLength(400 - 256);
    expect(codes.filter((code) => code !== 'busy' && code !== 'timeout')).toEqual([]);
  });

  it('tells neither a secret nor a row in its errors', async () => {
    await database.pool.query(`ALTER TABLE caracal.connections ADD CHECK (content NOT LIKE '%canary%')`);
    const refused = await Promise.resolve(postgresConnectionStore({ pool }).put(KEY, undefined, CONTENT)).catch(
      (cause) => cause,
    );
    expect(refused).toMatchObject({ code: 'refused', sqlState: '23514' });
    expect(`${refused.stack}${JSON.stringify(refused)}${refused.cause}`).not.toContain('canary');
  });

  it('keeps a subject apart from every other, also one that holds what PostgreSQL refuses', async () => {
    const store = postgresConnectionStore({ pool });
    const subjects = ['a\0b', 'a\ufffdb', 'ab', '\ud800', '\ud801', '\ufffd', 'x'.repeat(100_000)];
    for (const subject of subjects)
      await store.put({ ...KEY, owner: { ...KEY.owner, subject } }, undefined, { ...CONTENT, id: subject });
    for (const subject of subjects) {
      expect((await store.get({ ...KEY, owner: { ...KEY.owner, subject } }))?.id).toBe(subject);
    }
    const listed: unknown[] = [];
    for await (const { owner } of store.keys()) listed.push(owner === 'shared' ? owner : owner.subject);
    expect(listed.sort()).toEqual(subjects.sort());
  });

  it('lists whose connections there are, a page at a time, but those of which no row tells', async () => {
    const store = postgresConnectionStore({ pool });
    const keys = Array.from({ length: 450 }, (_, index) => ({ ...KEY, owner: { ...KEY.owner, subject: `s${index}` } }));
    const shared = { ...KEY, owner: 'shared' } as const;
    for (const key of [...keys, shared]) await store.put(key, undefined, CONTENT);
    await database.pool.query(
      `UPDATE caracal.connections SET zone = NULL, provider = NULL, issuer = NULL, subject = NULL WHERE label LIKE '% s7'`,
    );
    const text = (key: unknown) => JSON.stringify(key);
    const listed: string[] = [];
    for await (const key of store.keys()) listed.push(text(key));
    expect(listed.sort()).toEqual([...keys.filter(({ owner }) => owner.subject !== 's7'), shared].map(text).sort());
  });
});

describe('postgresResourceDirectory', () => {
  let warnings: PostgresWarning[];

  beforeEach(() => {
    warnings = [];
  });

  function directoryOf(
    changes: Partial<Parameters<typeof postgresResourceDirectory>[0]> = {},
  ): PostgresResourceDirectory {
    const directory = postgresResourceDirectory({
      pool,
      define: (document) => ({ ...(document as Omit<ResourceDefinition, 'provider'>), provider: noCredential() }),
      timeoutMs: 5000,
      pollMs: 200,
      onWarning: (warning) => warnings.push(warning),
      ...changes,
    });
    opened.push(directory);
    return directory;
  }
  const put = (identifier: string, document: object) =>
    putResource(database.pool, { zone: 'default', identifier, document });
  const scopesOf = (directory: PostgresResourceDirectory, identifier: string) => {
    const found = directory.byIdentifier('default', identifier) as { scopes: readonly string[] } | undefined;
    return found?.scopes;
  };

  it('throws before it was read, and follows every change after it', async () => {
    await put('resource://a', { scopes: ['one'] });
    const directory = directoryOf({ pollMs: 600_000 });
    expect(() => directory.byIdentifier('default', 'resource://a')).toThrow(/directory_unavailable|directory/);
    await directory.ready(20_000);
    expect(scopesOf(directory, 'resource://a')).toEqual(['one']);
    await put('resource://a', { scopes: ['two'] });
    await until('the change is there', () => scopesOf(directory, 'resource://a')?.[0] === 'two');
    await put('resource://b', {});
    await until('the new one is there', () => scopesOf(directory, 'resource://b') !== undefined);
    expect((await listResources(database.pool)).map(({ identifier }) => identifier)).toEqual([
      'resource://a',
      'resource://b',
    ]);
    expect(await removeResource(database.pool, { zone: 'default', identifier: 'resource://a' })).toBe(true);
    await until('the removed one is gone', () => scopesOf(directory, 'resource://a') === undefined);
    expect(warnings).toEqual([]);
  });

  it('refuses a row that is wrong, says which and why, and keeps its last good one', async () => {
    await put('resource://a', { scopes: ['good'] });
    await put('resource://b', { mount: { pathPrefix: '/b' } });
    const directory = directoryOf();
    await directory.ready(20_000);
    await put('resource://a', { scopes: ['bad'], upstreamURL: 'https://x.example' });
    await put('resource://new', { scopes: 'no list' });
    await put('resource://c', { mount: { pathPrefix: '/b' } });
    await put('RESOURCE://B', {});
    await put('resource://d', { scopes: ['fine'] });
    await until('the good one is there', () => scopesOf(directory, 'resource://d') !== undefined);
    await until('all are judged', () => directory.status().refused.length === 4);
    expect(scopesOf(directory, 'resource://a')).toEqual(['good']);
    for (const gone of ['resource://new', 'resource://c', 'RESOURCE://B'])
      expect(scopesOf(directory, gone), gone).toBeUndefined();
    const mounted = directory.byMount('default', 'h', '/b') as { resource: { identifier: string } };
    expect(mounted.resource.identifier).toBe('resource://b');
    expect(warnings.map(({ message }) => message).join('\n')).toMatch(
      /"resource:\/\/a" .* last good definition stays: .*upstreamURL/,
    );
    const told = warnings.length;
    await put('resource://e', {});
    await until('it goes on', () => scopesOf(directory, 'resource://e') !== undefined);
    expect(warnings).toHaveLength(told);
    await put('resource://a', { scopes: ['mended'] });
    await until('the mended one is there', () => scopesOf(directory, 'resource://a')?.[0] === 'mended');
  });

  it('answers from what it has read while PostgreSQL is away, and reads everything again after it', async () => {
    await put('resource://a', { scopes: ['one'] });
    const directory = directoryOf();
    await directory.ready(20_000);
    for (const away of ['cut', 'swallow'] as const) {
      proxy[away]();
      await put('resource://a', { scopes: [away] });
      await until('it is noticed', () => directory.status().fault !== undefined);
      expect(scopesOf(directory, 'resource://a')).toBeDefined();
      proxy.restore();
      await until('the change is there', () => scopesOf(directory, 'resource://a')?.[0] === away);
    }
    expect(new Set(warnings.map(({ code }) => code))).toEqual(new Set(['unavailable', 'recovered']));
  });

  it('sees a change without any news: where notifications do not pass', async () => {
    await put('resource://a', { scopes: ['one'] });
    const directory = directoryOf();
    await directory.ready(20_000);
    const client = await database.pool.connect();
    await client.query(`SET session_replication_role = 'replica'`); // no trigger, no notification
    await client.query(`UPDATE caracal.resources SET document = '{"scopes":["quiet"]}'`);
    await client.query('UPDATE caracal.resource_generation SET generation = generation + 1');
    client.release(true);
    await until('the change is there', () => scopesOf(directory, 'resource://a')?.[0] === 'quiet');
  });

  it('is bounded, and answers no longer than it may when it is stale', async () => {
    await put('resource://a', { scopes: ['one'] });
    const directory = directoryOf({ maxResources: 1, maxStalenessMs: 400, timeoutMs: 300 });
    await directory.ready(20_000);
    await put('resource://b', {});
    await until('it is too many', () => warnings.some(({ message }) => message.includes('2 resources')));
    expect(scopesOf(directory, 'resource://b')).toBeUndefined();
    await removeResource(database.pool, { zone: 'default', identifier: 'resource://b' });
    await until('it is fresh', () => directory.status().fault === undefined);
    proxy.swallow();
    const isStale = () => {
      try {
        return directory.byIdentifier('default', 'resource://a') === undefined;
      } catch {
        return true;
      }
    };
    await until('it is stale', isStale);
  });

  it('keeps what was good last over a change of meaning, also where a directory in between came to nothing', async () => {
    const feed = postgresResourceFeed({ pool, onWarning: (warning) => warnings.push(warning) });
    opened.push(feed);
    const define = (document: unknown) => ({
      ...(document as Omit<ResourceDefinition, 'provider'>),
      provider: noCredential(),
    });
    await put('resource://a', { scopes: ['one'] });
    await feed.ready(20_000);
    const first = feed.directory({ define });
    feed.directory({ define }).close();
    await put('resource://a', { scopes: ['two'] });
    const scopes = (directory: FeedDirectory) =>
      (directory.byIdentifier('default', 'resource://a') as { scopes: readonly string[] } | undefined)?.scopes;
    await until('the change is there', () => scopes(first)?.[0] === 'two');
    await put('resource://a', { scopes: 1 });
    await until('it is refused', () => first.rows().refused.length === 1);
    const beside = [{ identifier: 'resource://file', provider: noCredential() }];
    const next = feed.directory({ define, beside });
    first.close();
    expect([scopes(first), scopes(next)]).toEqual([['two'], ['two']]);
    expect(next.rows()).toMatchObject({ accepted: [{ scopes: ['two'] }], refused: [{ keptLastGood: true }] });
    expect(next.byIdentifier('default', 'resource://file')).toBeDefined();
    // What it means now is nothing: it does not stay by what it meant before.
    const without = feed.directory({
      define: () => {
        throw new TypeError('provider: is gone');
      },
    });
    expect(scopes(without)).toBeUndefined();
    expect(without.rows().refused).toMatchObject([{ reason: 'provider: is gone', keptLastGood: false }]);
  });

  it('makes a gateway answer 503 and not 403 while it has never been read', async () => {
    proxy.cut();
    const directory = directoryOf();
    const world = await fakeWorld({}, { resources: undefined as never, directory });
    const answer = await world.send(world.head(await world.mint()));
    expect([answer.status, answer.error]).toEqual([503, 'directory_unavailable']);
    expect(world.transport.plans).toEqual([]);
    const [record] = world.audit.records().filter(({ type }) => type === 'request.denied');
    expect(record).toMatchObject({ error: 'directory_unavailable', decision: 'denied' });
    proxy.restore();
    await put(RESOURCE, { upstreamUrl: 'https://billing.example', scopes: ['billing:read'] });
    await directory.ready(20_000);
    await until('it is there', () => scopesOf(directory, RESOURCE) !== undefined);
    expect((await world.send(world.head(await world.mint()))).status).toBe(200);
    await world.gateway.close();
  });
});
