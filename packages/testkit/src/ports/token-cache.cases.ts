import assert from 'node:assert/strict';
import type { CachedToken, TokenCache, TokenKey } from '@caracal/core';
import { AMBIGUOUS_PAIRS, HOSTILE_IDENTIFIERS } from './hostile-texts.js';
import { type PortCase, portCase, WISHED_CAPACITY } from './port-case.js';

const KEY: TokenKey = Object.freeze({ zoneId: 'default', providerId: 'provider://api', qualifiers: Object.freeze([]) });
const LEASE_MS = 10_000;

function token(nowSeconds: () => number, of: Partial<CachedToken> = {}): CachedToken {
  const obtainedAtMs = nowSeconds() * 1000;
  return { value: 'token-1', obtainedAtMs, expiresAtMs: obtainedAtMs + 300_000, afterRefusal: false, ...of };
}

async function keep(store: TokenCache, key: TokenKey, kept: CachedToken): Promise<void> {
  assert.equal(await store.claimRefresh(key, 'keeper', LEASE_MS), true);
  assert.equal(await store.finishRefresh(key, 'keeper', kept), true);
}

/** What every {@link TokenCache} has to do. */
export const tokenCacheCases: readonly PortCase<TokenCache>[] = [
  portCase('has no token at first', async ({ store }) => {
    assert.equal(await store.get(KEY), undefined);
  }),

  portCase('answers the token that was kept, all of it', async ({ store, nowSeconds }) => {
    const kept = token(nowSeconds, { afterRefusal: true, value: '\u{1f511} \u0000 "' });
    await keep(store, KEY, kept);
    assert.deepEqual({ ...(await store.get(KEY)) }, kept);
  }),

  portCase('gives the refresh to exactly one of many concurrent owners', async ({ store }) => {
    const claims = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => store.claimRefresh(KEY, `owner-${index}`, LEASE_MS)),
    );
    assert.equal(claims.filter(Boolean).length, 1);
  }),

  portCase('lets the owner of a claim claim again', async ({ store }) => {
    assert.equal(await store.claimRefresh(KEY, 'a', LEASE_MS), true);
    assert.equal(await store.claimRefresh(KEY, 'a', LEASE_MS), true);
    assert.equal(await store.claimRefresh(KEY, 'b', LEASE_MS), false);
  }),

  portCase('ends a claim with its token', async ({ store, nowSeconds }) => {
    await keep(store, KEY, token(nowSeconds));
    assert.equal(await store.claimRefresh(KEY, 'next', LEASE_MS), true);
    assert.equal((await store.get(KEY))?.value, 'token-1', 'the former token serves while a new one is obtained');
  }),

  portCase('keeps no token of one who has no claim', async ({ store, nowSeconds }) => {
    assert.equal(await store.finishRefresh(KEY, 'nobody', token(nowSeconds)), false);
    await store.claimRefresh(KEY, 'a', LEASE_MS);
    assert.equal(await store.finishRefresh(KEY, 'b', token(nowSeconds)), false);
    assert.equal(await store.get(KEY), undefined);
    assert.equal(await store.finishRefresh(KEY, 'a', token(nowSeconds)), true);
    assert.equal(await store.finishRefresh(KEY, 'a', token(nowSeconds, { value: 'again' })), false);
    assert.equal((await store.get(KEY))?.value, 'token-1');
  }),

  portCase('ends a claim without a token for its owner alone', async ({ store }) => {
    await store.claimRefresh(KEY, 'a', LEASE_MS);
    await store.abandonRefresh(KEY, 'b');
    assert.equal(await store.claimRefresh(KEY, 'b', LEASE_MS), false);
    await store.abandonRefresh(KEY, 'a');
    await store.abandonRefresh(KEY, 'a');
    assert.equal(await store.claimRefresh(KEY, 'b', LEASE_MS), true);
  }),

  portCase('forgets a token, and not the claim', async ({ store, nowSeconds }) => {
    await store.forget(KEY);
    await keep(store, KEY, token(nowSeconds));
    await store.claimRefresh(KEY, 'a', LEASE_MS);
    await store.forget(KEY);
    assert.equal(await store.get(KEY), undefined);
    assert.equal(await store.claimRefresh(KEY, 'b', LEASE_MS), false);
    assert.equal(await store.finishRefresh(KEY, 'a', token(nowSeconds)), true);
  }),

  portCase('knows a token by zone, provider and every qualifier', async ({ store, nowSeconds }) => {
    const keys: TokenKey[] = [
      KEY,
      { ...KEY, zoneId: 'other' },
      { ...KEY, providerId: 'provider://other' },
      { ...KEY, qualifiers: [''] },
      { ...KEY, qualifiers: ['', ''] },
      { ...KEY, qualifiers: ['a'] },
      { ...KEY, qualifiers: ['a', ''] },
      { ...KEY, qualifiers: ['', 'a'] },
      { ...KEY, qualifiers: ['a', 'b'] },
      { ...KEY, qualifiers: ['b', 'a'] },
      { ...KEY, qualifiers: ['ab'] },
      { ...KEY, qualifiers: ['a,b'] },
    ];
    for (const [index, key] of keys.entries()) {
      assert.equal(await store.get(key), undefined);
      await keep(store, key, token(nowSeconds, { value: `${index}` }));
    }
    for (const [index, key] of keys.entries()) assert.equal((await store.get(key))?.value, `${index}`);
  }),

  portCase('does not mix up parts that are equal once they are joined', async ({ store, nowSeconds }) => {
    const keys = AMBIGUOUS_PAIRS.flatMap(([first, second]): TokenKey[] => [
      { zoneId: first, providerId: second, qualifiers: [] },
      { zoneId: 'default', providerId: first, qualifiers: [second] },
      { ...KEY, qualifiers: [first, second] },
    ]);
    for (const key of keys) {
      assert.equal(await store.get(key), undefined);
      await keep(store, key, token(nowSeconds));
    }
  }),

  portCase('keeps apart identifiers that look alike or are special somewhere', async ({ store, nowSeconds }) => {
    for (const text of HOSTILE_IDENTIFIERS) {
      const key = { ...KEY, qualifiers: [text] };
      assert.equal(await store.get(key), undefined, text);
      await keep(store, key, token(nowSeconds, { value: `token of ${text}` }));
    }
    for (const text of HOSTILE_IDENTIFIERS) {
      assert.equal((await store.get({ ...KEY, qualifiers: [text] }))?.value, `token of ${text}`);
    }
  }),

  portCase(
    'does not answer a token that has expired',
    async ({ store, nowSeconds, advance }) => {
      await keep(store, KEY, token(nowSeconds));
      await advance(299_000);
      assert.equal((await store.get(KEY))?.value, 'token-1');
      await advance(1_000);
      assert.equal(await store.get(KEY), undefined);
    },
    ['clock'],
  ),

  portCase(
    'gives a claim to another when its time has passed, and hears the former owner no more',
    async ({ store, nowSeconds, advance }) => {
      await store.claimRefresh(KEY, 'slow', LEASE_MS);
      await advance(LEASE_MS - 1);
      assert.equal(await store.claimRefresh(KEY, 'next', LEASE_MS), false);
      await advance(1);
      assert.equal(await store.claimRefresh(KEY, 'next', LEASE_MS), true);
      assert.equal(await store.finishRefresh(KEY, 'slow', token(nowSeconds, { value: 'stale' })), false);
      await store.abandonRefresh(KEY, 'slow');
      assert.equal(await store.claimRefresh(KEY, 'third', LEASE_MS), false);
      assert.equal(await store.finishRefresh(KEY, 'next', token(nowSeconds)), true);
      assert.equal((await store.get(KEY))?.value, 'token-1');
    },
    ['clock'],
  ),

  portCase(
    'takes no token on a claim whose time has passed, also where nobody else has claimed',
    async ({ store, nowSeconds, advance }) => {
      await store.claimRefresh(KEY, 'slow', LEASE_MS);
      await advance(LEASE_MS);
      assert.equal(await store.finishRefresh(KEY, 'slow', token(nowSeconds)), false);
      assert.equal(await store.get(KEY), undefined);
    },
    ['clock'],
  ),

  portCase(
    'gives an owner who claims again the whole time anew',
    async ({ store, advance }) => {
      await store.claimRefresh(KEY, 'a', LEASE_MS);
      await advance(LEASE_MS - 1);
      await store.claimRefresh(KEY, 'a', LEASE_MS);
      await advance(LEASE_MS - 1);
      assert.equal(await store.claimRefresh(KEY, 'b', LEASE_MS), false);
    },
    ['clock'],
  ),

  portCase(
    'never forgets a claim to take another',
    async ({ store }) => {
      const key = (index: number): TokenKey => ({ ...KEY, qualifiers: [`${index}`] });
      for (let i = 0; i < WISHED_CAPACITY; i++) await store.claimRefresh(key(i), 'a', LEASE_MS);
      await assert.rejects(async () => store.claimRefresh(key(WISHED_CAPACITY), 'a', LEASE_MS));
      for (let i = 0; i < WISHED_CAPACITY; i++) {
        assert.equal(await store.claimRefresh(key(i), 'b', LEASE_MS), false);
      }
    },
    ['capacity'],
  ),
];
