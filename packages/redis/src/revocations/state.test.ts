import type { Anchor } from '@caracal/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Change, changesText, lifting, parseChanges, revocation } from './change.js';
import type { SealedBucket } from './head.js';
import { Seals } from './seals.js';
import { RevocationState } from './state.js';

const HOUR_MS = 60 * 60 * 1000;
const seals = new Seals(new Uint8Array(32).fill(1), 'test');
const NOTHING: ReadonlyMap<number, SealedBucket> = new Map();

const anchors = fc.record({
  zoneId: fc.constant('z'),
  issuer: fc.constantFrom('https://a.example', 'https://b.example'),
  kind: fc.constantFrom('sid' as const, 'client_id' as const, 'sub' as const),
  id: fc.constantFrom('1', '2', '3', '__proto__', '["1"]', '\u{1f511}'),
});
const changes = fc
  .record({ anchor: anchors, hours: fc.integer({ min: 0, max: 30 }), lift: fc.boolean() })
  .map(({ anchor, hours, lift }): Change => (lift ? lifting : revocation)(anchor, hours * HOUR_MS));

/** Makes the changes one commit after the other. Answers the buckets of the last head. */
function commit(state: RevocationState, batches: readonly (readonly Change[])[]): ReadonlyMap<number, SealedBucket> {
  let buckets = NOTHING;
  for (const batch of batches) {
    const plan = state.plan(batch);
    buckets = state.sealed('g', buckets, plan);
    state.adopt(plan);
  }
  return buckets;
}

describe('RevocationState', () => {
  it('comes to the same seals as another that makes the same changes, and as one that reads the result', () => {
    fc.assert(
      fc.property(fc.array(fc.array(changes, { maxLength: 4 }), { maxLength: 12 }), (batches) => {
        const state = new RevocationState(seals);
        const buckets = commit(state, batches);
        expect(state.matches('g', buckets)).toBe(true);

        const follower = new RevocationState(seals);
        expect(
          commit(
            follower,
            batches.map((batch) => parseChanges(changesText(batch))),
          ),
        ).toEqual(buckets);

        const reader = new RevocationState(seals);
        for (const [anchor, end] of state.index.entries())
          reader.adopt(reader.planAsRead([{ op: 'revoke', anchor, end }]));
        for (const change of batches.flat()) {
          const end = state.liftedUntil(change.anchor);
          if (end !== undefined) reader.adopt(reader.planAsRead([{ op: 'lift', anchor: change.anchor, end }]));
        }
        expect(reader.matches('g', buckets)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('revokes what was revoked last, whatever was lifted before', () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 30 }), (all) => {
        const state = new RevocationState(seals);
        commit(
          state,
          all.map((change) => [change]),
        );
        const last = new Map<string, Change>();
        for (const change of all) last.set(JSON.stringify(change.anchor), change);
        for (const { op, anchor } of last.values()) expect(state.index.hasAny([anchor], 0)).toBe(op === 'revoke');
      }),
      { numRuns: 200 },
    );
  });

  it('does not match where one entry is missing, another, or a lift', () => {
    const anchor = (id: string): Anchor => ({ zoneId: 'z', issuer: 'https://a.example', kind: 'sid', id });
    const state = new RevocationState(seals);
    const buckets = commit(state, [[revocation(anchor('1'), 0), revocation(anchor('2'), 0)]]);
    const others: Change[][] = [
      [revocation(anchor('1'), 0)],
      [revocation(anchor('1'), 0), revocation(anchor('3'), 0)],
      [revocation(anchor('1'), 0), revocation(anchor('2'), HOUR_MS)],
      [revocation(anchor('1'), 0), lifting(anchor('2'), 0)],
      [],
    ];
    for (const other of others) {
      const state = new RevocationState(seals);
      state.adopt(state.planAsRead(other));
      expect(state.matches('g', buckets)).toBe(false);
    }
    expect(state.matches('another generation', buckets)).toBe(false);
  });

  it('keeps what a dropped bucket held until it has ended here, and then lets it go', () => {
    const anchor: Anchor = { zoneId: 'z', issuer: 'https://a.example', kind: 'sid', id: '1' };
    const change = revocation(anchor, 0);
    const state = new RevocationState(seals);
    commit(state, [[change]]);
    expect(state.forgetBucketsBut(new Map())).toBe(true);
    expect(state.index.hasAny([anchor], change.end - 1)).toBe(true);
    for (const _ of state.cleaning(change.end - 1));
    expect(state.index.size).toBe(1);
    for (const _ of state.cleaning(change.end));
    expect(state.index.size).toBe(0);
  });
});
