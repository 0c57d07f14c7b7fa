import assert from 'node:assert/strict';
import type {
  Anchor,
  CachedToken,
  ConnectionKey,
  ConnectionStore,
  MandateUse,
  RateLimiter,
  RateLimitKey,
  ReplayStore,
  RevocationStore,
  TokenCache,
  TokenKey,
} from '@caracal/core';
import { eventually, type SharedCase, type SharedSubject, settledInTime, sharedCase } from './shared-case.js';

const ISSUER = 'https://issuer.example';
const BOTH = [0, 1];

function anchor(of: Partial<Anchor> = {}): Anchor {
  return { zoneId: 'default', issuer: ISSUER, kind: 'sid', id: 'session-1', ...of };
}

async function pair<Port>(subject: SharedSubject<Port>): Promise<readonly [Port, Port]> {
  return [await subject.open(), await subject.open()];
}

/** What every {@link RevocationStore} that several processes share has to do. */
export const sharedRevocationStoreCases: readonly SharedCase<RevocationStore>[] = [
  sharedCase('brings a revocation and a lift to every instance', async (subject) => {
    const [one, other] = await pair(subject);
    await one.revoke(anchor());
    await eventually('the other sees the revocation', () => other.isRevoked([anchor()]));
    await other.lift(anchor());
    await eventually('the first sees the lift', () => !one.isRevoked([anchor()]));
  }),

  sharedCase('tells the listeners of every instance, each once', async (subject) => {
    const stores = await pair(subject);
    const told: string[][] = stores.map((store) => {
      const ids: string[] = [];
      store.subscribe((revoked) => void ids.push(...revoked.map(({ id }) => id)));
      return ids;
    });
    await stores[0].revoke(anchor());
    await stores[1].revoke(anchor({ id: 'session-2' }));
    for (const ids of told) await eventually('two are told', () => ids.length >= 2);
    await stores[1].revoke(anchor());
    assert.deepEqual(
      told.map((ids) => ids.toSorted()),
      BOTH.map(() => ['session-1', 'session-2']),
    );
  }),

  sharedCase('loses nothing of what many revoke and lift at once', async (subject) => {
    const stores = await pair(subject);
    const ids = Array.from({ length: 60 }, (_, index) => `session-${index}`);
    await Promise.all(ids.map((id, index) => stores[index % 2]!.revoke(anchor({ id }))));
    const lifted = ids.filter((_, index) => index % 5 === 0);
    await Promise.all(lifted.map((id, index) => stores[index % 2]!.lift(anchor({ id }))));
    for (const store of stores) {
      await eventually('both agree', () =>
        ids.every((id) => store.isRevoked([anchor({ id })]) !== lifted.includes(id)),
      );
    }
  }),

  sharedCase('shows an instance that comes later everything at once', async (subject) => {
    const one = await subject.open();
    for (let i = 0; i < 10; i++) await one.revoke(anchor({ id: `${i}` }));
    await one.lift(anchor({ id: '3' }));
    const late = await subject.open();
    for (let i = 0; i < 10; i++) assert.equal(late.isRevoked([anchor({ id: `${i}` })]), i !== 3, `${i}`);
  }),

  sharedCase(
    'grows stale while what it is kept in is away, keeps what it knows, and is fresh again by itself',
    async (subject) => {
      const [one, other] = await pair(subject);
      await one.revoke(anchor());
      await one.revoke(anchor({ id: 'kept' }));
      await eventually('the other sees them', () =>
        ['session-1', 'kept'].every((id) => other.isRevoked([anchor({ id })])),
      );
      await subject.outage!.begin();
      const during = await settledInTime(subject.deadlineMs, () => one.revoke(anchor({ id: 'urgent' })));
      assert.equal(during.status, 'rejected');
      assert.equal(one.isRevoked([anchor({ id: 'urgent' })]), true, 'in effect where it was asked for');
      const lifting = await settledInTime(subject.deadlineMs, () => one.lift(anchor()));
      assert.equal(lifting.status, 'rejected');
      for (const store of [one, other]) assert.equal(store.isRevoked([anchor()]), true);
      const proofs = [one.freshAsOf(), other.freshAsOf()];
      await subject.outage!.end();
      await eventually('both are fresh again', () => one.freshAsOf() > proofs[0]! && other.freshAsOf() > proofs[1]!);
      await eventually('what was asked for meanwhile arrives', () => other.isRevoked([anchor({ id: 'urgent' })]));
      for (const store of [one, other]) assert.equal(store.isRevoked([anchor({ id: 'kept' })]), true);
      // A lift that was not answered in time may have been taken all the same, for all or for none.
      await eventually('both agree', () => one.isRevoked([anchor()]) === other.isRevoked([anchor()]));
      await one.lift(anchor());
      await eventually('a lift works again', () => !other.isRevoked([anchor()]));
    },
    ['outage'],
  ),
];

/** What every {@link ReplayStore} that several processes share has to do. */
export const sharedReplayStoreCases: readonly SharedCase<ReplayStore>[] = [
  sharedCase('tells exactly one of many instances that it is the first', async (subject) => {
    const stores = await pair(subject);
    for (let round = 0; round < 20; round++) {
      const use = useOf(subject, `jti-${round}`);
      const verdicts = await Promise.all(Array.from({ length: 20 }, async (_, i) => stores[i % 2]!.use(use)));
      assert.equal(verdicts.filter((verdict) => verdict === 'first').length, 1);
      assert.equal(verdicts.filter((verdict) => verdict === 'replayed').length, 19);
    }
  }),

  sharedCase('remembers for an instance that comes later', async (subject) => {
    const use = useOf(subject, 'jti');
    assert.equal(await (await subject.open()).use(use), 'first');
    assert.equal(await (await subject.open()).use(use), 'replayed');
  }),

  sharedCase(
    'fails in time while what it is kept in is away, and remembers when it is back',
    async (subject) => {
      const store = await subject.open();
      const use = useOf(subject, 'jti');
      assert.equal(await store.use(use), 'first');
      await subject.outage!.begin();
      const calls = Array.from({ length: 20 }, () => settledInTime(subject.deadlineMs, () => store.use(use)));
      for (const { status } of await Promise.all(calls)) assert.equal(status, 'rejected');
      await subject.outage!.end();
      await eventually(
        'it answers',
        async () => (await settledInTime(subject.deadlineMs, () => store.use(use))).status === 'fulfilled',
      );
      assert.equal(await store.use(use), 'replayed');
    },
    ['outage'],
  ),
];

const TOKEN_KEY: TokenKey = Object.freeze({ zoneId: 'default', providerId: 'provider://api', qualifiers: [] });

/** What every {@link TokenCache} that several processes share has to do. */
export const sharedTokenCacheCases: readonly SharedCase<TokenCache>[] = [
  sharedCase('gives the refresh to exactly one of many instances', async (subject) => {
    const stores = await pair(subject);
    const claims = Array.from({ length: 50 }, async (_, i) =>
      stores[i % 2]!.claimRefresh(TOKEN_KEY, `owner-${i}`, 60_000),
    );
    assert.equal((await Promise.all(claims)).filter(Boolean).length, 1);
  }),

  sharedCase('shows a token to every instance, and hears the owner of the claim alone', async (subject) => {
    const [one, other] = await pair(subject);
    const obtainedAtMs = subject.now();
    const token: CachedToken = { value: 't', obtainedAtMs, expiresAtMs: obtainedAtMs + 600_000, afterRefusal: true };
    assert.equal(await one.claimRefresh(TOKEN_KEY, 'owner', 60_000), true);
    assert.equal(await other.finishRefresh(TOKEN_KEY, 'stranger', { ...token, value: 'forged' }), false);
    await other.abandonRefresh(TOKEN_KEY, 'stranger');
    assert.equal(await other.claimRefresh(TOKEN_KEY, 'stranger', 60_000), false);
    assert.equal(await one.finishRefresh(TOKEN_KEY, 'owner', token), true);
    assert.deepEqual({ ...(await other.get(TOKEN_KEY)) }, token);
    await other.forget(TOKEN_KEY);
    assert.equal(await one.get(TOKEN_KEY), undefined);
  }),

  sharedCase(
    'fails in time while what it is kept in is away, and works when it is back',
    async (subject) => {
      const store = await subject.open();
      await subject.outage!.begin();
      const get = await settledInTime(subject.deadlineMs, () => store.get(TOKEN_KEY));
      const claim = await settledInTime(subject.deadlineMs, () => store.claimRefresh(TOKEN_KEY, 'a', 60_000));
      assert.deepEqual([get.status, claim.status], ['rejected', 'rejected']);
      await subject.outage!.end();
      await eventually(
        'it answers',
        async () => (await settledInTime(subject.deadlineMs, () => store.get(TOKEN_KEY))).status === 'fulfilled',
      );
    },
    ['outage'],
  ),
];

const RATE_KEY: RateLimitKey = Object.freeze({
  zoneId: 'default',
  issuer: ISSUER,
  applicationId: 'agent',
  resource: 'resource://api',
});

/** What every {@link RateLimiter} that several processes share has to do. */
export const sharedRateLimiterCases: readonly SharedCase<RateLimiter>[] = [
  sharedCase('admits no more than the limit over all instances', async (subject) => {
    const stores = await pair(subject);
    for (const requests of [1, 10, 300]) {
      const limit = { requests, windowSeconds: 3_600 };
      const key = { ...RATE_KEY, applicationId: `agent-${requests}` };
      const calls = Array.from({ length: 2 * requests + 20 }, async (_, i) => stores[i % 2]!.consume(key, limit));
      assert.equal((await Promise.all(calls)).filter(({ allowed }) => allowed).length, requests);
    }
  }),

  sharedCase(
    'fails in time while what it is kept in is away, and works when it is back',
    async (subject) => {
      const store = await subject.open();
      const consume = () =>
        settledInTime(subject.deadlineMs, () => store.consume(RATE_KEY, { requests: 1_000, windowSeconds: 60 }));
      await subject.outage!.begin();
      assert.equal((await consume()).status, 'rejected');
      await subject.outage!.end();
      await eventually('it answers', async () => (await consume()).status === 'fulfilled');
    },
    ['outage'],
  ),
];

const CONNECTION_KEY: ConnectionKey = Object.freeze({
  zoneId: 'default',
  providerId: 'provider://api',
  owner: { issuer: ISSUER, subject: 'alice' },
});

/** What every {@link ConnectionStore} that several processes share has to do. */
export const sharedConnectionStoreCases: readonly SharedCase<ConnectionStore>[] = [
  sharedCase('lets exactly one of many changes to one version win, over all instances', async (subject) => {
    const stores = await pair(subject);
    let version: string | undefined;
    for (let round = 0; round < 10; round++) {
      const changes = await Promise.all(
        Array.from({ length: 20 }, async (_, i) =>
          stores[i % 2]!.put(CONNECTION_KEY, version, { id: `cn_${round}_${i}`, sealed: `sealed-${round}-${i}` }),
        ),
      );
      const [winner, ...others] = changes.flatMap((change) => (change === 'conflict' ? [] : [change.connection]));
      assert.equal(others.length, 0, `round ${round}`);
      for (const store of stores) assert.deepEqual({ ...(await store.get(CONNECTION_KEY)) }, { ...winner });
      version = winner?.version;
    }
    const removals = Array.from({ length: 20 }, async (_, i) => stores[i % 2]!.remove(CONNECTION_KEY, version!));
    assert.equal((await Promise.all(removals)).filter(Boolean).length, 1);
    for (const store of stores) assert.equal(await store.get(CONNECTION_KEY), undefined);
  }),

  sharedCase(
    'takes no version of before a removal at another instance, however alike the content is',
    async (subject) => {
      const [one, other] = await pair(subject);
      const content = { id: 'cn_1', sealed: 'sealed' };
      const versions = new Set<string>();
      for (let round = 0; round < 5; round++) {
        const change = await one.put(CONNECTION_KEY, undefined, content);
        assert.notEqual(change, 'conflict');
        const { version } = (await other.get(CONNECTION_KEY))!;
        for (const before of versions) {
          assert.equal(await other.put(CONNECTION_KEY, before, { ...content, sealed: 'stale' }), 'conflict');
          assert.equal(await other.remove(CONNECTION_KEY, before), false);
        }
        versions.add(version);
        assert.equal(versions.size, round + 1);
        assert.equal(await other.remove(CONNECTION_KEY, version), true);
      }
    },
  ),

  sharedCase(
    'fails in time while what it is kept in is away, and has lost nothing when it is back',
    async (subject) => {
      const [one, other] = await pair(subject);
      const before = await one.put(CONNECTION_KEY, undefined, { id: 'cn_1', sealed: 'before' });
      assert.notEqual(before, 'conflict');
      const { version } = (await one.get(CONNECTION_KEY))!;
      const attempt = (name: string, i: number) =>
        settledInTime(subject.deadlineMs, () =>
          i % 3 === 0
            ? one.get(CONNECTION_KEY)
            : i % 3 === 1
              ? one.put(CONNECTION_KEY, version, { id: 'cn_1', sealed: name })
              : one.remove(CONNECTION_KEY, `not-${version}`),
        );
      await subject.outage!.begin();
      const during = await Promise.all(Array.from({ length: 21 }, (_, i) => attempt(`during-${i}`, i)));
      for (const { status } of during) assert.equal(status, 'rejected');
      await subject.outage!.end();
      const get = () => settledInTime(subject.deadlineMs, () => other.get(CONNECTION_KEY));
      await eventually('it answers', async () => (await get()).status === 'fulfilled');
      // What was not answered may have happened, once; nothing else has.
      const after = (await other.get(CONNECTION_KEY))!;
      assert.match(after.sealed, /^(?:before|during-\d+)$/);
      assert.equal(after.version === version, after.sealed === 'before');
      await eventually('the first answers', async () => (await attempt('none', 0)).status === 'fulfilled');
      await eventually('a change to what is there now succeeds', async () => {
        const now = await one.get(CONNECTION_KEY);
        return (await one.put(CONNECTION_KEY, now?.version, { id: 'cn_1', sealed: 'after' })) !== 'conflict';
      });
      assert.equal((await other.get(CONNECTION_KEY))?.sealed, 'after');
    },
    ['outage'],
  ),
];

function useOf(subject: { now(): number }, jti: string): MandateUse {
  const now = Math.floor(subject.now() / 1000);
  return { zoneId: 'default', issuer: ISSUER, jti, issuedAt: now + 60, expiresAt: now + 960 };
}
