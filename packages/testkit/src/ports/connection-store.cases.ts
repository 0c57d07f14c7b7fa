import assert from 'node:assert/strict';
import type { Connection, ConnectionContent, ConnectionKey, ConnectionStore, ListedConnections } from '@caracal/core';
import { AMBIGUOUS_PAIRS, HOSTILE_IDENTIFIERS } from './hostile-texts.js';
import { type PortCase, portCase, WISHED_CAPACITY } from './port-case.js';

const KEY: ConnectionKey = Object.freeze({
  zoneId: 'default',
  providerId: 'provider://api',
  owner: Object.freeze({ issuer: 'https://issuer.example', subject: 'alice' }),
});
const KEY_ISSUER = 'https://issuer.example';
const CONTENT: ConnectionContent = Object.freeze({ id: 'account-1', sealed: 'v1.k1.iv.text' });

async function put(
  store: ConnectionStore,
  key: ConnectionKey,
  expected: string | undefined,
  content = CONTENT,
): Promise<Connection> {
  const change = await store.put(key, expected, content);
  assert(change !== 'conflict');
  return change.connection;
}

/** What every {@link ConnectionStore} has to do. */
export const connectionStoreCases: readonly PortCase<ConnectionStore>[] = [
  portCase('has no connection at first', async ({ store }) => {
    assert.equal(await store.get(KEY), undefined);
  }),

  portCase('answers the connection that was put, with its version', async ({ store }) => {
    const content = { id: 'Konto \u{1f511}', sealed: `v1.${'x'.repeat(20_000)}` };
    const connection = await put(store, KEY, undefined, content);
    assert.deepEqual({ ...connection }, { ...content, version: connection.version });
    assert.deepEqual({ ...(await store.get(KEY)) }, { ...connection });
  }),

  portCase('changes a connection whose version is the expected one', async ({ store }) => {
    const first = await put(store, KEY, undefined);
    const second = await put(store, KEY, first.version, { ...CONTENT, sealed: 'second' });
    assert.notEqual(second.version, first.version);
    assert.equal((await store.get(KEY))?.sealed, 'second');
  }),

  portCase('changes nothing where the version is another one', async ({ store }) => {
    assert.equal(await store.put(KEY, 'none yet', CONTENT), 'conflict');
    const first = await put(store, KEY, undefined);
    assert.equal(await store.put(KEY, undefined, { ...CONTENT, sealed: 'late' }), 'conflict');
    const second = await put(store, KEY, first.version, { ...CONTENT, sealed: 'second' });
    assert.equal(await store.put(KEY, first.version, { ...CONTENT, sealed: 'late' }), 'conflict');
    assert.equal(await store.remove(KEY, first.version), false);
    assert.deepEqual({ ...(await store.get(KEY)) }, { ...second });
  }),

  portCase('lets exactly one of many concurrent changes succeed', async ({ store }) => {
    const race = async (expected: string | undefined): Promise<Connection> => {
      const changes = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => store.put(KEY, expected, { ...CONTENT, sealed: `${index}` })),
      );
      const won = changes.filter((change) => change !== 'conflict');
      assert.equal(won.length, 1);
      const stored = await store.get(KEY);
      assert.deepEqual({ ...stored }, { ...won[0]?.connection });
      return stored as Connection;
    };
    const first = await race(undefined);
    await race(first.version);
  }),

  portCase('lets exactly one of many concurrent removals succeed', async ({ store }) => {
    const { version } = await put(store, KEY, undefined);
    const removed = await Promise.all(Array.from({ length: 20 }, async () => store.remove(KEY, version)));
    assert.equal(removed.filter(Boolean).length, 1);
    assert.equal(await store.get(KEY), undefined);
  }),

  portCase('gives no version a second time, also after a removal', async ({ store }) => {
    const versions = new Set<string>();
    for (let i = 0; i < 5; i++) {
      const { version } = await put(store, KEY, undefined);
      versions.add(version);
      assert.equal(await store.remove(KEY, version), true);
      assert.equal(await store.remove(KEY, version), false);
    }
    assert.equal(versions.size, 5);
  }),

  portCase('knows a connection by zone, provider, issuer and subject together', async ({ store }) => {
    const issuer = 'https://issuer.example';
    const keys: ConnectionKey[] = [
      KEY,
      { ...KEY, zoneId: 'other' },
      { ...KEY, providerId: 'provider://other' },
      { ...KEY, owner: { issuer: 'https://other.example', subject: 'alice' } },
      { ...KEY, owner: { issuer, subject: 'Alice' } },
      { ...KEY, owner: 'shared' },
      // A subject that is named like the shared connection, or like nothing at all, is not it.
      { ...KEY, owner: { issuer, subject: 'shared' } },
      { ...KEY, owner: { issuer: 'shared', subject: 'shared' } },
      { ...KEY, owner: { issuer: '', subject: '' } },
    ];
    for (const [index, key] of keys.entries()) await put(store, key, undefined, { ...CONTENT, id: `${index}` });
    for (const [index, key] of keys.entries()) assert.equal((await store.get(key))?.id, `${index}`);
  }),

  portCase('does not mix up parts that are equal once they are joined', async ({ store }) => {
    for (const [first, second] of AMBIGUOUS_PAIRS) {
      await put(store, { ...KEY, owner: { issuer: first, subject: second } }, undefined);
      await put(store, { zoneId: first, providerId: second, owner: 'shared' }, undefined);
      await put(store, { ...KEY, providerId: first, owner: { issuer: second, subject: 'alice' } }, undefined);
    }
  }),

  portCase('keeps apart identifiers that look alike or are special somewhere', async ({ store }) => {
    const key = (subject: string): ConnectionKey => ({ ...KEY, owner: { issuer: 'https://issuer.example', subject } });
    for (const text of HOSTILE_IDENTIFIERS) await put(store, key(text), undefined, { ...CONTENT, id: `of ${text}` });
    for (const text of HOSTILE_IDENTIFIERS) assert.equal((await store.get(key(text)))?.id, `of ${text}`);
  }),

  portCase(
    'refuses connections it has no place for, and keeps those it has',
    async ({ store }) => {
      const key = (index: number): ConnectionKey => ({ ...KEY, providerId: `${index}` });
      const first = await put(store, key(0), undefined);
      for (let i = 1; i < WISHED_CAPACITY; i++) await put(store, key(i), undefined);
      await assert.rejects(async () => store.put(key(WISHED_CAPACITY), undefined, CONTENT));
      const changed = await put(store, key(0), first.version, { ...CONTENT, sealed: 'changed' });
      assert.equal(await store.remove(key(0), changed.version), true);
      await put(store, key(WISHED_CAPACITY), undefined);
    },
    ['capacity'],
  ),
];

/** Keys as texts that can be compared, in order. */
async function listed(store: ListedConnections): Promise<string[]> {
  const texts: string[] = [];
  for await (const key of store.keys()) texts.push(textOf(key));
  return texts.sort();
}

function textOf({ zoneId, providerId, owner }: ConnectionKey): string {
  return JSON.stringify(owner === 'shared' ? [zoneId, providerId] : [zoneId, providerId, owner.issuer, owner.subject]);
}

/** What every {@link ListedConnections} has to do, besides {@link connectionStoreCases}. */
export const listedConnectionsCases: readonly PortCase<ListedConnections>[] = [
  portCase('lists nothing where there is nothing', async ({ store }) => {
    assert.deepEqual(await listed(store), []);
  }),

  portCase('lists each connection once, also one that was changed, and none that was removed', async ({ store }) => {
    const keys: ConnectionKey[] = [KEY, { ...KEY, zoneId: 'other' }, { ...KEY, owner: 'shared' }];
    for (const key of keys) await put(store, key, undefined);
    await put(store, KEY, (await store.get(KEY))?.version, { ...CONTENT, sealed: 'second' });
    assert.deepEqual(await listed(store), keys.map(textOf).sort());
    assert.equal(await store.remove(KEY, (await store.get(KEY))!.version), true);
    assert.deepEqual(await listed(store), keys.slice(1).map(textOf).sort());
  }),

  portCase('lists keys as they were given, whatever they hold', async ({ store }) => {
    const texts = [...HOSTILE_IDENTIFIERS, 'a\0b', '\0', '\ud800', '"\\u0000', ''];
    const keys = texts.flatMap((text): ConnectionKey[] => [
      { ...KEY, owner: { issuer: text, subject: 'alice' } },
      { ...KEY, owner: { issuer: KEY_ISSUER, subject: text } },
      { zoneId: text, providerId: 'p', owner: 'shared' },
      { zoneId: 'z', providerId: text, owner: 'shared' },
    ]);
    for (const [first, second] of AMBIGUOUS_PAIRS) {
      keys.push({ ...KEY, owner: { issuer: first, subject: second } });
      keys.push({ zoneId: first, providerId: second, owner: 'shared' });
    }
    for (const key of keys) await put(store, key, undefined);
    assert.deepEqual(await listed(store), keys.map(textOf).sort());
    for await (const key of store.keys()) assert.equal((await store.get(key))?.id, CONTENT.id);
  }),

  portCase('lists many, and goes on while they change', async ({ store }) => {
    const keys = Array.from({ length: 450 }, (_, index): ConnectionKey => ({ ...KEY, providerId: `${index}` }));
    for (const key of keys) await put(store, key, undefined);
    assert.deepEqual(await listed(store), keys.map(textOf).sort());
    let seen = 0;
    for await (const key of store.keys()) {
      seen++;
      const { version } = (await store.get(key))!;
      await put(store, key, version, { ...CONTENT, sealed: 'changed' });
    }
    assert.equal(seen, keys.length);
  }),
];
