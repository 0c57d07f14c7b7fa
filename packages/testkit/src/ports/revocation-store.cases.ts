import assert from 'node:assert/strict';
import type { Anchor, AnchorKind, RevocationStore } from '@caracal/core';
import { AMBIGUOUS_PAIRS, HOSTILE_IDENTIFIERS } from './hostile-texts.js';
import { type PortCase, portCase, WISHED_CAPACITY } from './port-case.js';

const SESSION_KINDS: readonly AnchorKind[] = ['sid', 'root_sid', 'agent_session_id', 'delegation_edge_id', 'jti'];
const LASTING_KINDS: readonly AnchorKind[] = ['client_id', 'sub'];
const ALL_KINDS = [...SESSION_KINDS, ...LASTING_KINDS];
const DAY_MS = 24 * 60 * 60 * 1000;

function anchor(of: Partial<Anchor> = {}): Anchor {
  return { zoneId: 'default', issuer: 'https://issuer.example', kind: 'sid', id: 'session-1', ...of };
}

/** What every {@link RevocationStore} has to do. */
export const revocationStoreCases: readonly PortCase<RevocationStore>[] = [
  portCase('knows nothing as revoked at first', async ({ store }) => {
    assert.equal(store.isRevoked([anchor()]), false);
    assert.equal(store.isRevoked([]), false);
  }),

  portCase('sees a revocation once revoke has resolved', async ({ store }) => {
    await store.revoke(anchor());
    assert.equal(store.isRevoked([anchor()]), true);
  }),

  portCase('finds the one revoked anchor among others, wherever it stands', async ({ store }) => {
    await store.revoke(anchor({ kind: 'sub', id: 'alice' }));
    const others = ALL_KINDS.map((kind) => anchor({ kind }));
    assert.equal(store.isRevoked(others), false);
    assert.equal(store.isRevoked([anchor({ kind: 'sub', id: 'alice' }), ...others]), true);
    assert.equal(store.isRevoked([...others, anchor({ kind: 'sub', id: 'alice' })]), true);
    assert.equal(store.isRevoked([anchor({ zoneId: 'z' }), anchor({ kind: 'sub', id: 'alice' })]), true);
  }),

  portCase('revokes by zone, issuer, kind and id together', async ({ store }) => {
    await store.revoke(anchor());
    assert.equal(store.isRevoked([anchor({ zoneId: 'other' })]), false);
    assert.equal(store.isRevoked([anchor({ issuer: 'https://other.example' })]), false);
    assert.equal(store.isRevoked([anchor({ id: 'session-2' })]), false);
    for (const kind of ALL_KINDS) assert.equal(store.isRevoked([anchor({ kind })]), kind === 'sid', kind);
  }),

  portCase('does not mix up parts that are equal once they are joined', async ({ store }) => {
    const pairs = AMBIGUOUS_PAIRS.filter((_, index) => index % 2 === 0);
    const twins = AMBIGUOUS_PAIRS.filter((_, index) => index % 2 === 1);
    for (const [issuer, id] of pairs) await store.revoke(anchor({ issuer, id }));
    for (const [issuer, id] of twins) assert.equal(store.isRevoked([anchor({ issuer, id })]), false, issuer);
    for (const [issuer, id] of pairs) assert.equal(store.isRevoked([anchor({ issuer, id })]), true, issuer);
  }),

  portCase('keeps apart identifiers that look alike or are special somewhere', async ({ store }) => {
    for (const id of HOSTILE_IDENTIFIERS) assert.equal(store.isRevoked([anchor({ id })]), false, id);
    for (const [index, id] of HOSTILE_IDENTIFIERS.entries()) {
      await store.revoke(anchor({ id }));
      for (const later of HOSTILE_IDENTIFIERS.slice(index + 1)) {
        assert.equal(store.isRevoked([anchor({ id: later })]), false, `${id} revoked, not ${later}`);
      }
    }
    for (const id of HOSTILE_IDENTIFIERS) assert.equal(store.isRevoked([anchor({ id })]), true, id);
  }),

  portCase('refuses what is no anchor', async ({ store }) => {
    await assert.rejects(async () => store.revoke(anchor({ kind: '__proto__' as AnchorKind })));
    await assert.rejects(async () => store.revoke(anchor({ id: '' })));
    await assert.rejects(async () => store.revoke(anchor({ zoneId: undefined as unknown as string })));
  }),

  portCase('keeps no hold on the object it was given', async ({ store }) => {
    const given = { ...anchor() };
    await store.revoke(given);
    given.id = 'changed';
    assert.equal(store.isRevoked([anchor()]), true);
    assert.equal(store.isRevoked([given]), false);
  }),

  portCase('takes a revocation back', async ({ store }) => {
    await store.revoke(anchor());
    await store.revoke(anchor({ id: 'session-2' }));
    await store.lift(anchor());
    assert.equal(store.isRevoked([anchor()]), false);
    assert.equal(store.isRevoked([anchor({ id: 'session-2' })]), true);
  }),

  portCase('revokes and lifts any number of times with the effect of once', async ({ store }) => {
    await store.lift(anchor());
    await store.revoke(anchor());
    await store.revoke(anchor());
    assert.equal(store.isRevoked([anchor()]), true);
    await store.lift(anchor());
    await store.lift(anchor());
    assert.equal(store.isRevoked([anchor()]), false);
    await store.revoke(anchor());
    assert.equal(store.isRevoked([anchor()]), true);
  }),

  portCase('is fresh, by the monotonic clock, once it has answered', async ({ store }) => {
    await store.revoke(anchor());
    assert.equal(typeof store.freshAsOf(), 'number');
    assert(Number.isFinite(store.freshAsOf()));
  }),

  portCase('tells listeners of what was revoked before revoke has resolved', async ({ store }) => {
    const told: Anchor[] = [];
    store.subscribe((revoked) => void told.push(...revoked));
    await store.revoke(anchor());
    assert.deepEqual(told, [anchor()]);
  }),

  portCase('tells of each of many concurrent revocations exactly once', async ({ store }) => {
    const told: string[] = [];
    store.subscribe((revoked) => void told.push(...revoked.map(({ id }) => id)));
    const ids = Array.from({ length: 50 }, (_, index) => `session-${index}`);
    await Promise.all(ids.map((id) => store.revoke(anchor({ id }))));
    assert.deepEqual(told.sort(), ids.sort());
  }),

  portCase('tells every listener, and none that has ended its subscription', async ({ store }) => {
    const told: string[] = [];
    const end = store.subscribe((revoked) => void told.push(...revoked.map(({ id }) => `first ${id}`)));
    store.subscribe((revoked) => void told.push(...revoked.map(({ id }) => `second ${id}`)));
    await store.revoke(anchor({ id: 'a' }));
    end();
    end();
    await store.revoke(anchor({ id: 'b' }));
    assert.deepEqual(told.sort(), ['first a', 'second a', 'second b']);
  }),

  portCase('says so to a listener only after isRevoked does', async ({ store }) => {
    const seen: boolean[] = [];
    store.subscribe((revoked) => void seen.push(store.isRevoked(revoked)));
    await store.revoke(anchor());
    assert.deepEqual(seen, [true]);
  }),

  portCase('does not tell of what was revoked already, and tells of what was lifted between', async ({ store }) => {
    let told = 0;
    await store.revoke(anchor());
    store.subscribe((revoked) => {
      told += revoked.length;
    });
    await store.revoke(anchor());
    assert.equal(told, 0);
    await store.lift(anchor());
    await store.revoke(anchor());
    assert.equal(told, 1);
  }),

  portCase('tells the other listeners where one throws', async ({ store }) => {
    const told: string[] = [];
    store.subscribe(() => {
      throw new Error('a listener of no use');
    });
    store.subscribe((revoked) => void told.push(...revoked.map(({ id }) => id)));
    // Whether revoke rejects is the implementation's choice; that the rest is told is not.
    await store.revoke(anchor()).catch(() => undefined);
    assert.deepEqual(told, ['session-1']);
    assert.equal(store.isRevoked([anchor()]), true);
  }),

  portCase(
    'keeps the revocation of a session as long as a mandate can live, and no longer than two days',
    async ({ store, advance }) => {
      for (const kind of SESSION_KINDS) await store.revoke(anchor({ kind }));
      await advance(DAY_MS + 59_000);
      for (const kind of SESSION_KINDS) assert.equal(store.isRevoked([anchor({ kind })]), true, kind);
      await advance(DAY_MS);
      for (const kind of SESSION_KINDS) assert.equal(store.isRevoked([anchor({ kind })]), false, kind);
    },
    ['clock'],
  ),

  portCase(
    'keeps the revocation of an application or subject until it is lifted',
    async ({ store, advance }) => {
      for (const kind of LASTING_KINDS) await store.revoke(anchor({ kind }));
      await advance(400 * DAY_MS);
      for (const kind of LASTING_KINDS) assert.equal(store.isRevoked([anchor({ kind })]), true, kind);
      for (const kind of LASTING_KINDS) await store.lift(anchor({ kind }));
      for (const kind of LASTING_KINDS) assert.equal(store.isRevoked([anchor({ kind })]), false, kind);
    },
    ['clock'],
  ),

  portCase(
    'counts from the last time a session was revoked',
    async ({ store, advance }) => {
      await store.revoke(anchor());
      await advance(DAY_MS / 2);
      await store.revoke(anchor());
      await advance(DAY_MS);
      assert.equal(store.isRevoked([anchor()]), true);
    },
    ['clock'],
  ),

  portCase(
    'tells of a session that is revoked again after its revocation has ended',
    async ({ store, advance }) => {
      let told = 0;
      await store.revoke(anchor());
      await advance(2 * DAY_MS);
      store.subscribe((revoked) => {
        told += revoked.length;
      });
      await store.revoke(anchor());
      assert.equal(told, 1);
      assert.equal(store.isRevoked([anchor()]), true);
    },
    ['clock'],
  ),

  portCase(
    'rejects what it has no place for, and forgets nothing for it',
    async ({ store }) => {
      const ids = Array.from({ length: WISHED_CAPACITY }, (_, index) => `session-${index}`);
      for (const id of ids) await store.revoke(anchor({ id }));
      await assert.rejects(store.revoke(anchor({ id: 'one too many' })));
      for (const id of ids) assert.equal(store.isRevoked([anchor({ id })]), true, id);
      await store.revoke(anchor({ id: 'session-0' }));
      await store.lift(anchor({ id: 'session-0' }));
      await store.revoke(anchor({ id: 'one more' }));
      assert.equal(store.isRevoked([anchor({ id: 'one more' })]), true);
    },
    ['capacity'],
  ),

  portCase(
    'has place again when revocations have ended',
    async ({ store, advance }) => {
      for (let i = 0; i < WISHED_CAPACITY; i++) await store.revoke(anchor({ id: `${i}` }));
      await advance(2 * DAY_MS);
      await store.revoke(anchor({ id: 'new' }));
      assert.equal(store.isRevoked([anchor({ id: 'new' })]), true);
    },
    ['capacity', 'clock'],
  ),
];
