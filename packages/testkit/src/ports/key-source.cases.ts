import assert from 'node:assert/strict';
import { isPromise, type KeySource } from '@caracal/core';
import { createTestIssuer, type TestAlgorithm } from '../issuer.js';
import { HOSTILE_IDENTIFIERS } from './hostile-texts.js';
import { type PortCase, portCase } from './port-case.js';

/** A source of one issuer's keys, and the issuer's side of it. */
export interface PublishableKeySource extends KeySource {
  /**
   * From now on the issuer has these public keys (JWKs); `undefined`: they cannot be had. {@link keySourceCases} call it once,
   * before anything else; {@link keyRotationCases} call it again.
   */
  publish(keys: readonly object[] | undefined): Promise<void>;
}

async function publicKey(kid: string, algorithm: TestAlgorithm = 'ES256'): Promise<object> {
  const [key] = (await createTestIssuer({ kid, algorithm })).jwks().keys;
  assert(key !== undefined);
  return key;
}

/** What every {@link KeySource} has to do. */
export const keySourceCases: readonly PortCase<PublishableKeySource>[] = [
  portCase('has each key under its kid, for its one algorithm', async ({ store }) => {
    await store.publish([await publicKey('first'), await publicKey('second', 'PS256')]);
    const set = await store.current();
    for (const [kid, alg] of [
      ['first', 'ES256'],
      ['second', 'PS256'],
    ] as const) {
      const key = set.get(kid);
      assert.deepEqual([key?.kid, key?.alg, key?.key.type], [kid, alg, 'public']);
    }
  }),

  portCase('has no version before the first set, and that of the set from then on', async ({ store }) => {
    await store.publish([await publicKey('first')]);
    assert.equal(store.version(), undefined);
    const set = await store.current();
    assert.equal(store.version(), set.version);
  }),

  portCase('answers synchronously while the set is fresh', async ({ store }) => {
    await store.publish([await publicKey('first')]);
    const { version } = await store.current();
    const again = store.current();
    assert(!isPromise(again));
    assert.equal(again.version, version);
  }),

  portCase('answers the set in force for a kid that there is none of', async ({ store }) => {
    await store.publish([await publicKey('first')]);
    const { version } = await store.current();
    for (const kid of ['unknown', 'other', 'FIRST']) {
      const set = await store.refresh(kid);
      assert.equal(set.get(kid), undefined);
      assert.notEqual(set.get('first'), undefined);
      assert.equal(set.version, version);
    }
  }),

  portCase('has no key under a hostile kid', async ({ store }) => {
    await store.publish([await publicKey('first')]);
    const set = await store.current();
    for (const kid of ['', ...HOSTILE_IDENTIFIERS]) assert.equal(set.get(kid), undefined, kid);
  }),

  portCase('answers many who ask at once alike', async ({ store }) => {
    await store.publish([await publicKey('first')]);
    const sets = await Promise.all(Array.from({ length: 20 }, async () => store.current()));
    assert.deepEqual([...new Set(sets.map(({ version }) => version))], [store.version()]);
    for (const set of sets) assert.notEqual(set.get('first'), undefined);
  }),
];

/** What a {@link KeySource} has to do beyond {@link keySourceCases} whose issuer can change its keys. */
export const keyRotationCases: readonly PortCase<PublishableKeySource>[] = [
  portCase('looks again for a kid that the set lacks, and changes its version with the keys', async ({ store }) => {
    const first = await publicKey('first');
    await store.publish([first]);
    const before = await store.current();
    await store.publish([first, await publicKey('second')]);
    const after = await store.refresh('second');
    assert.notEqual(after.get('second'), undefined);
    assert.notEqual(after.version, before.version);
    assert.equal(store.version(), after.version);
    assert.equal((await store.current()).version, after.version);
  }),

  portCase('changes its version where a kid stays and its key does not', async ({ store }) => {
    await store.publish([await publicKey('first')]);
    const before = await store.current();
    await store.publish([await publicKey('first')]);
    assert.notEqual((await store.refresh('second')).version, before.version);
  }),

  portCase('leaves a set that was handed out as it was', async ({ store }) => {
    await store.publish([await publicKey('first')]);
    const before = await store.current();
    const { version } = before;
    await store.publish([await publicKey('second')]);
    const after = await store.refresh('second');
    assert.equal(after.get('first'), undefined);
    assert.deepEqual([before.version, before.get('first')?.kid, before.get('second')], [version, 'first', undefined]);
  }),

  portCase('throws while no keys can be had, and has no version', async ({ store }) => {
    await store.publish(undefined);
    await assert.rejects(async () => store.current());
    await assert.rejects(async () => store.refresh('first'));
    assert.equal(store.version(), undefined);
  }),
];
