import type { MandateUse, ReplayStore, ReplayVerdict } from '../authorize/replay-store.js';
import { type Clock, systemClock } from '../clock.js';
import { CaracalError } from '../errors.js';
import { refuseUnknownOptions, wholeNumber } from '../option-checks.js';
import { compositeKey } from './composite-key.js';
import { ExpirySchedule } from './expiry-schedule.js';

/** Options of {@link memoryReplayStore}. */
export interface MemoryReplayStoreOptions {
  readonly clock?: Clock;
  /** Uses remembered at once; more are refused. Default 500,000, some 100 MB. */
  readonly maxEntries?: number;
  /** How far an issuer's clock may be ahead of ours, s. Default 0. See {@link memoryReplayStore}. */
  readonly clockSkewSeconds?: number;
}

/** Defaults of {@link MemoryReplayStoreOptions}. */
export const MEMORY_REPLAY_DEFAULTS = Object.freeze({ maxEntries: 500_000, clockSkewSeconds: 0 });

/** A use is remembered so much longer than its mandate lives, for a wall clock that is set back a little. */
const MARGIN_MS = 60_000;

/**
 * First uses of single-use mandates, in this process's memory.
 *
 * A restart forgets them, so that a mandate issued before this store was made may have been used already: it is
 * `before_store`. The comparison is by whole seconds, as `iat` is. Where an issuer's clock is ahead, a mandate used just before a
 * restart can claim to be issued after it; `clockSkewSeconds` closes that gap, at the price that for so long after every start
 * single-use mandates of issuers with a right clock are refused too. A store that outlives the process has no gap.
 *
 * Full, `use` throws `CaracalError('replay_unavailable')` with reason `store_full`; it never forgets a use that still counts.
 *
 * @throws TypeError for options that are not in order.
 */
export function memoryReplayStore(options: MemoryReplayStoreOptions = {}): ReplayStore {
  refuseUnknownOptions('memoryReplayStore', options, ['clock', 'maxEntries', 'clockSkewSeconds']);
  const { clock = systemClock } = options;
  const { maxEntries, clockSkewSeconds } = { ...MEMORY_REPLAY_DEFAULTS, ...options };
  wholeNumber('memoryReplayStore', 'maxEntries', maxEntries);
  wholeNumber('memoryReplayStore', 'clockSkewSeconds', clockSkewSeconds, 0);
  return new MemoryReplayStore(clock, maxEntries, clockSkewSeconds);
}

class MemoryReplayStore implements ReplayStore {
  readonly #clock: Clock;
  readonly #maxEntries: number;
  /** Seconds since the epoch. */
  readonly #begins: number;
  readonly #used = new Set<string>();
  readonly #schedule = new ExpirySchedule<string>();

  constructor(clock: Clock, maxEntries: number, clockSkewSeconds: number) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
    this.#begins = Math.floor(clock.now() / 1000) + clockSkewSeconds;
  }

  // Nothing waits between looking and marking: that is the atomicity.
  use({ zoneId, issuer, jti, issuedAt, expiresAt }: MandateUse): ReplayVerdict {
    // Not `issuedAt < begins`: NaN is not known to be after it.
    if (!(issuedAt >= this.#begins)) return 'before_store';
    for (const key of this.#schedule.due(this.#clock.now())) this.#used.delete(key);
    const key = compositeKey([zoneId, issuer, jti]);
    if (this.#used.has(key)) return 'replayed';
    if (!Number.isFinite(expiresAt)) throw new CaracalError('replay_unavailable', 'expiry_invalid');
    if (this.#used.size >= this.#maxEntries) throw new CaracalError('replay_unavailable', 'store_full');
    this.#used.add(key);
    this.#schedule.add(expiresAt * 1000 + MARGIN_MS, key);
    return 'first';
  }
}
