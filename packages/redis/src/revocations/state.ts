import { type Anchor, RevocationIndex } from '@caracal/core';
import { type Change, fieldOf } from './change.js';
import type { SealedBucket } from './head.js';
import { type Seals, SUM_BYTES } from './seals.js';

/** Entries that end in the same hour: revocations, and lifts that are remembered. */
interface Bucket {
  readonly count: number;
  readonly revoked: number;
  readonly sum: Uint8Array;
}

const EMPTY: Bucket = Object.freeze({ count: 0, revoked: 0, sum: new Uint8Array(SUM_BYTES) });

/** Where an anchor stands. */
interface Place {
  readonly op: 'revoke' | 'lift';
  readonly end: number;
}

/** One change with what it does to the dataset. */
export interface Step {
  readonly change: Change;
  readonly field: string;
  /** The bucket the anchor stood in before, where that was another. */
  readonly leaves: number | undefined;
}

/** Changes, worked out and not made yet. */
export interface Plan {
  readonly steps: readonly Step[];
  /** The buckets they touch, as they will be. */
  readonly touched: ReadonlyMap<number, Bucket>;
}

/**
 * The dataset as this process knows it: what is revoked, what was lifted within a day, and the sum over each bucket. It changes
 * in the same steps as the dataset, so that its seals can be compared with those of every head.
 */
export class RevocationState {
  /** Until when each anchor is revoked, hours since the epoch. Those included that have ended and were not removed. */
  readonly index = new RevocationIndex();
  /** Until when it is remembered that an anchor was lifted, by field. */
  readonly #lifted = new Map<string, number>();
  readonly #buckets = new Map<number, Bucket>();
  readonly #seals: Seals;

  constructor(seals: Seals) {
    this.#seals = seals;
  }

  /** Revocations that have not ended. */
  live(nowHours: number): number {
    let live = 0;
    for (const [end, { revoked }] of this.#buckets) if (end > nowHours) live += revoked;
    return live;
  }

  /** Until when it is remembered that this anchor was lifted, hours since the epoch. */
  liftedUntil(anchor: Anchor): number | undefined {
    return this.#lifted.size === 0 ? undefined : this.#lifted.get(fieldOf(anchor));
  }

  /** Works out what the changes do, those left out that change nothing. The last change of an anchor counts. */
  plan(changes: readonly Change[]): Plan {
    return this.#plan(changes, changesNothing);
  }

  /** As {@link plan}, for what was read: it stands so in the dataset, whatever is known here. */
  planAsRead(changes: readonly Change[]): Plan {
    return this.#plan(changes, () => false);
  }

  #plan(changes: readonly Change[], leaveOut: (change: Change, before: Place | undefined) => boolean): Plan {
    const last = new Map<string, Change>();
    for (const change of changes) last.set(fieldOf(change.anchor), change);
    const touched = new Map<number, Bucket>();
    const steps: Step[] = [];
    for (const [field, change] of last) {
      const before = this.#placeOf(change.anchor, field);
      if (leaveOut(change, before)) continue;
      if (before !== undefined) this.#touch(touched, before, field, -1);
      this.#touch(touched, change, field, 1);
      steps.push({ change, field, leaves: before !== undefined && before.end !== change.end ? before.end : undefined });
    }
    return { steps, touched };
  }

  /** Makes the changes. */
  adopt({ steps, touched }: Plan): void {
    for (const [end, bucket] of touched) {
      if (bucket.count === 0) this.#buckets.delete(end);
      else this.#buckets.set(end, bucket);
    }
    for (const { change, field } of steps) {
      if (change.op === 'revoke') {
        this.#lifted.delete(field);
        this.index.set(change.anchor, change.end);
      } else {
        this.index.delete(change.anchor);
        this.#lifted.set(field, change.end);
      }
    }
  }

  /** All buckets as they will be with the plan, sealed; the others as they were in `before`. */
  sealed(generation: string, before: ReadonlyMap<number, SealedBucket>, { touched }: Plan): Map<number, SealedBucket> {
    const sealed = new Map<number, SealedBucket>();
    for (const [end, bucket] of before) if (!touched.has(end)) sealed.set(end, bucket);
    for (const [end, { count, sum }] of touched) {
      if (count > 0) sealed.set(end, { end, count, seal: this.#seals.bucket(generation, end, count, sum) });
    }
    return sealed;
  }

  /** Whether the buckets of a head, and those alone, hold what this state does. Forgets buckets that the head has no more. */
  matches(generation: string, buckets: ReadonlyMap<number, SealedBucket>): boolean {
    this.forgetBucketsBut(buckets);
    for (const { end, count, seal } of buckets.values()) {
      const bucket = this.#buckets.get(end);
      if (bucket?.count !== count || this.#seals.bucket(generation, end, count, bucket.sum) !== seal) return false;
    }
    return true;
  }

  /**
   * Forgets the sums of buckets that the dataset has dropped, and answers whether there were any. What they held stays revoked
   * here until it has ended by our own clock as well.
   */
  forgetBucketsBut(kept: ReadonlyMap<number, unknown>): boolean {
    const dropped = [...this.#buckets.keys()].filter((end) => !kept.has(end));
    for (const end of dropped) this.#buckets.delete(end);
    return dropped.length > 0;
  }

  /** Removes, a little with each step, what has ended and stands in no bucket any more. */
  *cleaning(nowHours: number): Generator<void> {
    for (const [anchor, end] of this.index.entries()) {
      if (end <= nowHours && !this.#buckets.has(end)) this.index.delete(anchor);
      yield;
    }
    for (const [field, end] of this.#lifted) if (!this.#buckets.has(end)) this.#lifted.delete(field);
  }

  // What stands in a bucket that was dropped stands nowhere.
  #placeOf(anchor: Anchor, field: string): Place | undefined {
    const until = this.index.until(anchor);
    if (until !== undefined && this.#buckets.has(until)) return { op: 'revoke', end: until };
    const lifted = this.#lifted.get(field);
    return lifted !== undefined && this.#buckets.has(lifted) ? { op: 'lift', end: lifted } : undefined;
  }

  #touch(touched: Map<number, Bucket>, { op, end }: Place, field: string, by: 1 | -1): void {
    const { count, revoked, sum } = touched.get(end) ?? this.#buckets.get(end) ?? EMPTY;
    const share = this.#seals.entry(end, op === 'revoke', field);
    // The share becomes the new sum: nobody else has it.
    for (let i = 0; i < SUM_BYTES; i++) share[i]! ^= sum[i]!;
    touched.set(end, { count: count + by, revoked: revoked + (op === 'revoke' ? by : 0), sum: share });
  }
}

function changesNothing({ op, end }: Change, before: Place | undefined): boolean {
  if (op === 'lift') return before?.op !== 'revoke';
  return before?.op === 'revoke' && before.end >= end;
}
