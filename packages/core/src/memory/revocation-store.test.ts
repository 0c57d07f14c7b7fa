import { describe, expect, it } from 'vitest';
import type { Anchor } from '../verify/anchor.js';
import { FixedClock } from './clock.fixture.js';
import { memoryRevocationStore, SESSION_REVOCATION_MS } from './revocation-store.js';

function anchor(id: string, kind: Anchor['kind'] = 'sid'): Anchor {
  return { zoneId: 'default', issuer: 'https://issuer.example', kind, id };
}

describe('memoryRevocationStore', () => {
  it('is always fresh: it is itself the truth', () => {
    const clock = new FixedClock();
    const store = memoryRevocationStore({ clock });
    expect(store.freshAsOf()).toBe(clock.monotonicMs);
    clock.advance(3_600_000);
    expect(store.freshAsOf()).toBe(clock.monotonicMs);
  });

  it('revokes before revoke returns, not only before it resolves', async () => {
    const store = memoryRevocationStore();
    const revoking = store.revoke(anchor('a'));
    expect(store.isRevoked([anchor('a')])).toBe(true);
    await revoking;
  });

  it('tells of all revocations of one turn in one batch', async () => {
    const store = memoryRevocationStore();
    const batches: string[][] = [];
    store.subscribe((revoked) => void batches.push(revoked.map(({ id }) => id)));
    await Promise.all(['a', 'b', 'a', 'c'].map((id) => store.revoke(anchor(id))));
    await store.revoke(anchor('d'));
    expect(batches).toEqual([['a', 'b', 'c'], ['d']]);
  });

  it('keeps a session for the longest life of a mandate and the skew, by the monotonic clock', async () => {
    const clock = new FixedClock();
    const store = memoryRevocationStore({ clock });
    await store.revoke(anchor('a'));
    expect(SESSION_REVOCATION_MS).toBe(86_460_000);
    clock.wallMs += 10 * SESSION_REVOCATION_MS;
    clock.monotonicMs += SESSION_REVOCATION_MS - 1;
    expect(store.isRevoked([anchor('a')])).toBe(true);
    clock.monotonicMs += 1;
    expect(store.isRevoked([anchor('a')])).toBe(false);
  });

  it('rejects with what its listeners threw, after all were told', async () => {
    const store = memoryRevocationStore();
    const failure = new Error('no');
    const told: string[] = [];
    store.subscribe(() => {
      throw failure;
    });
    store.subscribe((revoked) => void told.push(...revoked.map(({ id }) => id)));
    await expect(store.revoke(anchor('a'))).rejects.toMatchObject({ errors: [failure] });
    expect(told).toEqual(['a']);
    expect(store.isRevoked([anchor('a')])).toBe(true);
  });

  it('lets a listener revoke more and end its own subscription', async () => {
    const store = memoryRevocationStore();
    const told: string[] = [];
    const ends: (() => void)[] = [];
    let more: Promise<void> | undefined;
    ends.push(
      store.subscribe((revoked) => {
        told.push(...revoked.map(({ id }) => id));
        ends[0]?.();
        more = store.revoke(anchor('from the listener'));
      }),
    );
    store.subscribe((revoked) => void told.push(...revoked.map(({ id }) => `other: ${id}`)));
    await store.revoke(anchor('a'));
    await more;
    expect(told).toEqual(['a', 'other: a', 'other: from the listener']);
  });

  it('looks for ended revocations at most once a second when it is full', async () => {
    const clock = new FixedClock();
    const store = memoryRevocationStore({ clock, maxEntries: 1 });
    await store.revoke(anchor('a'));
    clock.advance(SESSION_REVOCATION_MS - 1);
    await expect(store.revoke(anchor('b'))).rejects.toThrow('revocation_unavailable: store_full');
    clock.advance(1);
    await expect(store.revoke(anchor('b'))).rejects.toThrow('revocation_unavailable: store_full');
    clock.advance(999);
    await store.revoke(anchor('b'));
    expect(store.isRevoked([anchor('b')])).toBe(true);
  });

  it('refuses options that are not in order', () => {
    expect(() => memoryRevocationStore({ maxEntries: -1 })).toThrow('memoryRevocationStore: maxEntries');
    expect(() => memoryRevocationStore({ ttl: 1 } as never)).toThrow('memoryRevocationStore: unknown option ttl');
  });
});
