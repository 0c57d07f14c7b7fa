import assert from 'node:assert/strict';
import type { RateLimiter, RateLimitKey } from '@caracal/core';
import { AMBIGUOUS_PAIRS, HOSTILE_IDENTIFIERS } from './hostile-texts.js';
import { type PortCase, portCase, WISHED_CAPACITY } from './port-case.js';

const KEY: RateLimitKey = Object.freeze({
  zoneId: 'default',
  issuer: 'https://issuer.example',
  applicationId: 'agent',
  resource: 'resource://api',
});
const TEN_A_MINUTE = Object.freeze({ requests: 10, windowSeconds: 60 });
const ONE_A_MINUTE = Object.freeze({ requests: 1, windowSeconds: 60 });

/** What every {@link RateLimiter} has to do. */
export const rateLimiterCases: readonly PortCase<RateLimiter>[] = [
  portCase('admits as many as the limit says and refuses the next', async ({ store }) => {
    for (let i = 0; i < 10; i++) assert.deepEqual(await store.consume(KEY, TEN_A_MINUTE), { allowed: true });
    assert.equal((await store.consume(KEY, TEN_A_MINUTE)).allowed, false);
  }),

  portCase('admits no more than the limit of many concurrent requests', async ({ store }) => {
    const verdicts = await Promise.all(Array.from({ length: 100 }, async () => store.consume(KEY, TEN_A_MINUTE)));
    assert.equal(verdicts.filter(({ allowed }) => allowed).length, 10);
  }),

  portCase('says in whole seconds when another request can succeed', async ({ store }) => {
    await store.consume(KEY, ONE_A_MINUTE);
    const verdict = await store.consume(KEY, ONE_A_MINUTE);
    assert(!verdict.allowed);
    assert(Number.isInteger(verdict.retryAfterSeconds));
    assert(verdict.retryAfterSeconds >= 1 && verdict.retryAfterSeconds <= 61, `${verdict.retryAfterSeconds}`);
  }),

  portCase('counts every part of the key apart', async ({ store }) => {
    assert.equal((await store.consume(KEY, ONE_A_MINUTE)).allowed, true);
    for (const part of ['zoneId', 'issuer', 'applicationId', 'resource'] as const) {
      assert.equal((await store.consume({ ...KEY, [part]: 'other' }, ONE_A_MINUTE)).allowed, true, part);
    }
    assert.equal((await store.consume(KEY, ONE_A_MINUTE)).allowed, false);
  }),

  portCase('does not mix up parts that are equal once they are joined', async ({ store }) => {
    for (const [applicationId, resource] of AMBIGUOUS_PAIRS) {
      assert.equal((await store.consume({ ...KEY, applicationId, resource }, ONE_A_MINUTE)).allowed, true);
    }
    for (const [zoneId, issuer] of AMBIGUOUS_PAIRS) {
      assert.equal((await store.consume({ ...KEY, zoneId, issuer }, ONE_A_MINUTE)).allowed, true);
    }
  }),

  portCase('keeps apart identifiers that look alike or are special somewhere', async ({ store }) => {
    for (const allowed of [true, false]) {
      for (const applicationId of HOSTILE_IDENTIFIERS) {
        const verdict = await store.consume({ ...KEY, applicationId }, ONE_A_MINUTE);
        assert.equal(verdict.allowed, allowed, applicationId);
      }
    }
  }),

  portCase(
    'admits again when the window has passed',
    async ({ store, advance }) => {
      await store.consume(KEY, ONE_A_MINUTE);
      await advance(59_000);
      assert.equal((await store.consume(KEY, ONE_A_MINUTE)).allowed, false);
      await advance(1_500);
      assert.equal((await store.consume(KEY, ONE_A_MINUTE)).allowed, true);
    },
    ['clock'],
  ),

  portCase(
    'admits again after the seconds it named',
    async ({ store, advance }) => {
      await store.consume(KEY, ONE_A_MINUTE);
      await advance(12_345);
      const verdict = await store.consume(KEY, ONE_A_MINUTE);
      assert(!verdict.allowed);
      await advance(verdict.retryAfterSeconds * 1000);
      assert.equal((await store.consume(KEY, ONE_A_MINUTE)).allowed, true);
    },
    ['clock'],
  ),

  portCase(
    'does not count refused requests',
    async ({ store, advance }) => {
      await store.consume(KEY, ONE_A_MINUTE);
      for (let i = 0; i < 6; i++) {
        await advance(9_000);
        assert.equal((await store.consume(KEY, ONE_A_MINUTE)).allowed, false);
      }
      await advance(6_500);
      assert.equal((await store.consume(KEY, ONE_A_MINUTE)).allowed, true);
    },
    ['clock'],
  ),

  portCase(
    'admits no more than the limit in any window, also across the edges of fixed ones',
    async ({ store, advance }) => {
      const admitted: number[] = [];
      for (let ms = 0; ms < 240_000; ms += 1_700) {
        if ((await store.consume(KEY, TEN_A_MINUTE)).allowed) admitted.push(ms);
        await advance(1_700);
      }
      for (const end of admitted) {
        const inWindow = admitted.filter((ms) => ms > end - 60_000 && ms <= end).length;
        assert(inWindow <= 10, `${inWindow} in the window that ends at ${end}`);
      }
      assert(admitted.length >= 36, `only ${admitted.length} of some 40`);
    },
    ['clock'],
  ),

  portCase(
    'refuses keys it has no place for, rather than begin one anew',
    async ({ store }) => {
      for (let i = 0; i < WISHED_CAPACITY; i++) await store.consume({ ...KEY, applicationId: `${i}` }, ONE_A_MINUTE);
      await assert.rejects(async () => store.consume({ ...KEY, applicationId: 'one too many' }, ONE_A_MINUTE));
      assert.equal((await store.consume({ ...KEY, applicationId: '0' }, ONE_A_MINUTE)).allowed, false);
    },
    ['capacity'],
  ),

  portCase(
    'takes other keys when the windows of those before have passed',
    async ({ store, advance }) => {
      for (let i = 0; i < WISHED_CAPACITY; i++) await store.consume({ ...KEY, applicationId: `${i}` }, ONE_A_MINUTE);
      await advance(61_000);
      assert.equal((await store.consume({ ...KEY, applicationId: 'new' }, ONE_A_MINUTE)).allowed, true);
    },
    ['capacity', 'clock'],
  ),
];
