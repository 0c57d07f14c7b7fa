import assert from 'node:assert/strict';
import type { MandateUse, ReplayStore } from '@caracal/core';
import { AMBIGUOUS_PAIRS, HOSTILE_IDENTIFIERS } from './hostile-texts.js';
import { type PortCase, portCase, WISHED_CAPACITY } from './port-case.js';

/** A use of a mandate issued as late as a verifier allows, so that stores with room for skew know they were there. */
function useAt(nowSeconds: () => number) {
  const now = nowSeconds();
  return (of: Partial<MandateUse> = {}): MandateUse => ({
    zoneId: 'default',
    issuer: 'https://issuer.example',
    jti: 'jti-1',
    issuedAt: now + 60,
    expiresAt: now + 960,
    ...of,
  });
}

/** What every {@link ReplayStore} has to do. */
export const replayStoreCases: readonly PortCase<ReplayStore>[] = [
  portCase('tells the first use, and every later one', async ({ store, nowSeconds }) => {
    const use = useAt(nowSeconds);
    assert.equal(await store.use(use()), 'first');
    assert.equal(await store.use(use()), 'replayed');
    assert.equal(await store.use(use()), 'replayed');
  }),

  portCase('tells exactly one of many concurrent uses that it is the first', async ({ store, nowSeconds }) => {
    const use = useAt(nowSeconds);
    const verdicts = await Promise.all(Array.from({ length: 100 }, async () => store.use(use())));
    assert.equal(verdicts.filter((verdict) => verdict === 'first').length, 1);
    assert.equal(verdicts.filter((verdict) => verdict === 'replayed').length, 99);
  }),

  portCase('knows a mandate by zone, issuer and jti together', async ({ store, nowSeconds }) => {
    const use = useAt(nowSeconds);
    assert.equal(await store.use(use()), 'first');
    assert.equal(await store.use(use({ zoneId: 'other' })), 'first');
    assert.equal(await store.use(use({ issuer: 'https://other.example' })), 'first');
    assert.equal(await store.use(use({ jti: 'jti-2' })), 'first');
  }),

  portCase('knows a jti whatever the times of the mandate are', async ({ store, nowSeconds }) => {
    const use = useAt(nowSeconds);
    assert.equal(await store.use(use()), 'first');
    assert.equal(await store.use(use({ expiresAt: nowSeconds() + 1_800 })), 'replayed');
    assert.equal(await store.use(use({ issuedAt: nowSeconds() + 61 })), 'replayed');
  }),

  portCase('does not mix up parts that are equal once they are joined', async ({ store, nowSeconds }) => {
    const use = useAt(nowSeconds);
    for (const [issuer, jti] of AMBIGUOUS_PAIRS) assert.equal(await store.use(use({ issuer, jti })), 'first');
    for (const [zoneId, issuer] of AMBIGUOUS_PAIRS) assert.equal(await store.use(use({ zoneId, issuer })), 'first');
  }),

  portCase('keeps apart identifiers that look alike or are special somewhere', async ({ store, nowSeconds }) => {
    const use = useAt(nowSeconds);
    for (const jti of HOSTILE_IDENTIFIERS) assert.equal(await store.use(use({ jti })), 'first', jti);
    for (const jti of HOSTILE_IDENTIFIERS) assert.equal(await store.use(use({ jti })), 'replayed', jti);
  }),

  portCase('refuses a mandate that was issued before its memory begins', async ({ store, nowSeconds }) => {
    const use = useAt(nowSeconds);
    assert.equal(await store.use(use({ issuedAt: nowSeconds() - 120 })), 'before_store');
    assert.equal(await store.use(use({ issuedAt: nowSeconds() - 120 })), 'before_store');
  }),

  portCase(
    'remembers a use until the mandate has expired',
    async ({ store, nowSeconds, advance }) => {
      const use = useAt(nowSeconds);
      const used = use();
      assert.equal(await store.use(used), 'first');
      await advance(959_999);
      assert.equal(await store.use(used), 'replayed');
    },
    ['clock'],
  ),

  portCase(
    'refuses more than it can remember, and forgets nothing for it',
    async ({ store, nowSeconds }) => {
      const use = useAt(nowSeconds);
      for (let i = 0; i < WISHED_CAPACITY; i++) assert.equal(await store.use(use({ jti: `${i}` })), 'first');
      await assert.rejects(async () => store.use(use({ jti: 'one too many' })));
      for (let i = 0; i < WISHED_CAPACITY; i++) assert.equal(await store.use(use({ jti: `${i}` })), 'replayed');
      await assert.rejects(async () => store.use(use({ jti: 'one too many' })));
    },
    ['capacity'],
  ),

  portCase(
    'takes new uses when remembered ones have expired',
    async ({ store, nowSeconds, advance }) => {
      const use = useAt(nowSeconds);
      for (let i = 0; i < WISHED_CAPACITY; i++) assert.equal(await store.use(use({ jti: `${i}` })), 'first');
      await advance(3_600_000);
      assert.equal(
        await store.use(use({ jti: 'new', issuedAt: nowSeconds(), expiresAt: nowSeconds() + 900 })),
        'first',
      );
    },
    ['capacity', 'clock'],
  ),
];
