import { type Clock, systemClock } from '../clock.js';
import { CaracalError } from '../errors.js';
import { refuseUnknownOptions, wholeNumber } from '../option-checks.js';
import type { Anchor, AnchorKind } from '../verify/anchor.js';
import { MAX_IDENTIFIER_LENGTH } from '../verify/claim-values.js';
import type { RevocationStore } from '../verify/revocation-store.js';
import { RevocationIndex } from './revocation-index.js';

/** Options of {@link memoryRevocationStore}. */
export interface MemoryRevocationStoreOptions {
  readonly clock?: Clock;
  /** Anchors revoked at once; more are refused. Default 200,000, some 50 MB. */
  readonly maxEntries?: number;
}

/** Default of `maxEntries`. */
export const MEMORY_REVOCATION_MAX_ENTRIES = 200_000;

/** How long the revocation of a session, delegation edge or mandate is kept, ms: the longest life of a mandate, and skew. */
export const SESSION_REVOCATION_MS = (24 * 60 * 60 + 60) * 1000;

const CLEANING_INTERVAL_MS = 1_000;

/** `expires`: nothing below it is minted any more. `until_lifted`: it outlives every mandate, and new ones are made. */
const LIFE_OF_KIND: Readonly<Record<AnchorKind, 'expires' | 'until_lifted'>> = Object.freeze({
  sid: 'expires',
  root_sid: 'expires',
  agent_session_id: 'expires',
  delegation_edge_id: 'expires',
  jti: 'expires',
  client_id: 'until_lifted',
  sub: 'until_lifted',
});

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

type Listener = (revoked: readonly Anchor[]) => void;

class MemoryRevocationStore implements RevocationStore {
  readonly #clock: Clock;
  readonly #maxEntries: number;
  readonly #index = new RevocationIndex();
  /** Wrapped, so that one function subscribed twice is two subscriptions. */
  readonly #listeners = new Set<{ readonly tell: Listener }>();
  #untold: Anchor[] = [];
  #cleanedAt = Number.NEGATIVE_INFINITY;
  #telling: Promise<void> | undefined;

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
    if (!this.#add(copyOf(anchor))) return this.#telling;
    this.#telling ??= Promise.resolve().then(() => this.#tell());
    return this.#telling;
  }

  async lift(anchor: Anchor): Promise<void> {
    this.#index.delete(copyOf(anchor));
  }

  subscribe(tell: Listener): () => void {
    const listener = { tell };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener); // the answer of delete() is nobody's business
  }

  /** Whether it is newly revoked. The monotonic clock decides: one that is set must not end a revocation early. */
  #add(anchor: Anchor): boolean {
    const now = this.#clock.monotonic();
    const before = this.#index.until(anchor);
    if (before === undefined) this.#makeRoom(now);
    const expires = LIFE_OF_KIND[anchor.kind] === 'expires';
    this.#index.set(anchor, expires ? now + SESSION_REVOCATION_MS : Number.POSITIVE_INFINITY);
    if (before !== undefined && before > now) return false;
    this.#untold.push(anchor);
    return true;
  }

  #makeRoom(now: number): void {
    if (this.#index.size < this.#maxEntries) return;
    // Looks at every entry, so not again within a second.
    if (now - this.#cleanedAt >= CLEANING_INTERVAL_MS) {
      this.#cleanedAt = now;
      this.#index.deleteUntil(now);
    }
    if (this.#index.size >= this.#maxEntries) throw new CaracalError('revocation_unavailable', 'store_full');
  }

  #tell(): void {
    const revoked = Object.freeze(this.#untold);
    this.#untold = [];
    this.#telling = undefined;
    const failures: unknown[] = [];
    for (const { tell } of [...this.#listeners]) {
      try {
        tell(revoked);
      } catch (cause) {
        failures.push(cause);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'A listener to revocations failed');
  }
}

/** A checked copy of its own, so that nothing changes under the index. */
function copyOf({ zoneId, issuer, kind, id }: Anchor): Anchor {
  if (!Object.hasOwn(LIFE_OF_KIND, kind)) {
    throw new TypeError(`An anchor's kind is one of ${Object.keys(LIFE_OF_KIND).join(', ')}`);
  }
  for (const part of [zoneId, issuer, id]) {
    if (typeof part !== 'string' || part === '' || part.length > MAX_IDENTIFIER_LENGTH) {
      throw new TypeError(`An anchor's zoneId, issuer and id are texts of 1 to ${MAX_IDENTIFIER_LENGTH} characters`);
    }
  }
  return Object.freeze({ zoneId, issuer, kind, id });
}
