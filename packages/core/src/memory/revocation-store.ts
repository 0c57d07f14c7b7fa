import { type Clock, systemClock } from '../clock.js';
import { CaracalError } from '../errors.js';
import { refuseUnknownOptions, wholeNumber } from '../option-checks.js';
import type { Anchor } from '../verify/anchor.js';
import type { RevocationStore } from '../verify/revocation-store.js';
import { checkedAnchor, revocationLifeMs } from './revocable-anchor.js';
import { RevocationIndex } from './revocation-index.js';
import { type RevocationListener, RevocationListeners } from './revocation-listeners.js';

export { SESSION_REVOCATION_MS } from './revocable-anchor.js';

/** Options of {@link memoryRevocationStore}. */
export interface MemoryRevocationStoreOptions {
  readonly clock?: Clock;
  /** Anchors revoked at once; more are refused. Default 200,000, some 50 MB. */
  readonly maxEntries?: number;
}

/** Default of `maxEntries`. */
export const MEMORY_REVOCATION_MAX_ENTRIES = 200_000;

/**
 * Revocations in this process's memory: always complete, so always fresh, and forgotten at its end.
 *
 * Full, `revoke` rejects with `CaracalError('revocation_unavailable')`, reason `store_full`: it never forgets one to take
 * another. Listeners are told in a microtask, of all that were revoked until then; `revoke` resolves after them, and rejects with
 * an AggregateError where one of them threw (the others have been told, and the anchor is revoked).
 *
 * @throws TypeError for options that are not in order; `revoke` and `lift` reject with one for what is no anchor.
 */
export function memoryRevocationStore(options: MemoryRevocationStoreOptions = {}): RevocationStore {
  refuseUnknownOptions('memoryRevocationStore', options, ['clock', 'maxEntries']);
  const { clock = systemClock, maxEntries = MEMORY_REVOCATION_MAX_ENTRIES } = options;
  return new MemoryRevocationStore(clock, wholeNumber('memoryRevocationStore', 'maxEntries', maxEntries));
}

class MemoryRevocationStore implements RevocationStore {
  readonly #clock: Clock;
  readonly #maxEntries: number;
  readonly #index = new RevocationIndex();
  readonly #listeners = new RevocationListeners();

  constructor(clock: Clock, maxEntries: number) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
  }

  isRevoked(anchors: readonly Anchor[]): boolean {
    if (this.#index.size === 0) return false;
    return this.#index.hasAny(anchors, this.#clock.monotonic());
  }

  freshAsOf(): number {
    return this.#clock.monotonic();
  }

  async revoke(anchor: Anchor): Promise<void> {
    const checked = checkedAnchor(anchor);
    return this.#add(checked) ? this.#listeners.tell(checked) : this.#listeners.telling;
  }

  async lift(anchor: Anchor): Promise<void> {
    this.#index.delete(checkedAnchor(anchor));
  }

  subscribe(tell: RevocationListener): () => void {
    return this.#listeners.subscribe(tell);
  }

  /** Whether it is newly revoked. The monotonic clock decides: one that is set must not end a revocation early. */
  #add(anchor: Anchor): boolean {
    const now = this.#clock.monotonic();
    const before = this.#index.until(anchor);
    if (before === undefined && !this.#index.hasRoom(this.#maxEntries, now)) {
      throw new CaracalError('revocation_unavailable', 'store_full');
    }
    this.#index.set(anchor, now + revocationLifeMs(anchor.kind));
    return before === undefined || before <= now;
  }
}
