import type { Anchor, RevocationIndex } from '@caracal/core';
import type { Change } from './change.js';
import { inSlices } from './in-slices.js';
import type { RevocationState } from './state.js';

/** Entries looked at for one commit. */
const MAX_LOOKED_AT = 20_000;

/**
 * What this process knew as revoked before it read the dataset again. Redis may have lost some of it (emptied, restored from an old
 * copy, failed over to a replica that was behind), and then it is written back; until then it counts as revoked here.
 */
export class MemoryOfLoss {
  readonly #index: RevocationIndex;
  #unread: Iterator<readonly [Anchor, number]>;
  /** Given out and not known to be written. */
  #taken: readonly Change[] = [];

  constructor(index: RevocationIndex) {
    this.#index = index;
    this.#unread = index.entries();
  }

  has(anchors: readonly Anchor[], nowHours: number): boolean {
    return this.#index.hasAny(anchors, nowHours);
  }

  /** Takes in what was known as revoked beside it, and begins again. */
  async with(later: RevocationIndex): Promise<MemoryOfLoss> {
    await inSlices(this.#index.entries(), ([anchor, end]) => {
      if (!((later.until(anchor) ?? Number.NEGATIVE_INFINITY) >= end)) later.set(anchor, end);
    });
    return new MemoryOfLoss(later);
  }

  /** Whatever was to be written back of this anchor is not: it was lifted. */
  forget(anchor: Anchor): void {
    this.#index.delete(anchor);
  }

  /** What the dataset lacks, at most so many; `undefined` where all has been looked at and written. */
  lacking(state: RevocationState, nowHours: number, atMost: number): readonly Change[] | undefined {
    const changes = this.#taken.filter(
      ({ anchor, end }) => this.#index.until(anchor) === end && lacks(state, anchor, end),
    );
    let done = false;
    for (let looked = 0; changes.length < atMost && looked < MAX_LOOKED_AT; looked++) {
      const next = this.#unread.next();
      if (next.done) {
        done = true;
        break;
      }
      const [anchor, end] = next.value;
      if (end > nowHours && lacks(state, anchor, end)) changes.push({ op: 'revoke', anchor, end });
    }
    this.#taken = changes;
    return done && changes.length === 0 ? undefined : changes;
  }
}

function lacks(state: RevocationState, anchor: Anchor, end: number): boolean {
  const until = state.index.until(anchor);
  if (until !== undefined && until >= end) return false;
  const lifted = state.liftedUntil(anchor);
  // Lifted since, unless it was revoked again in a later hour.
  return lifted === undefined || (end !== Number.POSITIVE_INFINITY && end > lifted);
}
