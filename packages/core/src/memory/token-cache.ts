import { LRUCache } from 'lru-cache';
import type { CachedToken, TokenCache, TokenKey } from '../attach/token-cache.js';
import { type Clock, systemClock } from '../clock.js';
import { CaracalError } from '../errors.js';
import { refuseUnknownOptions, wholeNumber } from '../option-checks.js';
import { compositeKey } from './composite-key.js';

/** Options of {@link memoryTokenCache}. */
export interface MemoryTokenCacheOptions {
  readonly clock?: Clock;
  /** Tokens kept, and claims at once. Default 10,000. */
  readonly maxEntries?: number;
}

/** Default of `maxEntries`. */
export const MEMORY_TOKEN_CACHE_MAX_ENTRIES = 10_000;

/**
 * Tokens in this process's memory. Beyond `maxEntries` the token that was used least recently is forgotten; a claim never is,
 * one too many throws `CaracalError('credential_unavailable')` with reason `token_cache_full`.
 *
 * @throws TypeError for options that are not in order, and for a lease that is no number of ms above 0.
 */
export function memoryTokenCache(options: MemoryTokenCacheOptions = {}): TokenCache {
  refuseUnknownOptions('memoryTokenCache', options, ['clock', 'maxEntries']);
  const { clock = systemClock, maxEntries = MEMORY_TOKEN_CACHE_MAX_ENTRIES } = options;
  return new MemoryTokenCache(clock, wholeNumber('memoryTokenCache', 'maxEntries', maxEntries));
}

interface Claim {
  readonly owner: string;
  /** Monotonic, ms. */
  readonly endsAt: number;
}

class MemoryTokenCache implements TokenCache {
  readonly #clock: Clock;
  readonly #maxEntries: number;
  readonly #tokens: LRUCache<string, CachedToken>;
  readonly #claims = new Map<string, Claim>();

  constructor(clock: Clock, maxEntries: number) {
    this.#clock = clock;
    this.#maxEntries = maxEntries;
    this.#tokens = new LRUCache({ max: maxEntries });
  }

  get(key: TokenKey): CachedToken | undefined {
    const text = textOf(key);
    const token = this.#tokens.get(text);
    // Not `expiresAtMs <= now`: a token of which nobody knows how long it lives is none.
    if (token === undefined || token.expiresAtMs > this.#clock.now()) return token;
    this.#tokens.delete(text);
    return undefined;
  }

  // Nothing waits between looking and claiming: that is the atomicity.
  claimRefresh(key: TokenKey, owner: string, leaseMs: number): boolean {
    if (!(leaseMs > 0 && leaseMs < Number.POSITIVE_INFINITY)) {
      throw new TypeError('claimRefresh: leaseMs is a number of ms above 0');
    }
    const text = textOf(key);
    const now = this.#clock.monotonic();
    const claim = this.#claims.get(text);
    if (claim !== undefined && claim.owner !== owner && claim.endsAt > now) return false;
    if (claim === undefined) this.#makeRoom(now);
    this.#claims.set(text, { owner, endsAt: now + leaseMs });
    return true;
  }

  finishRefresh(key: TokenKey, owner: string, token: CachedToken): boolean {
    const text = textOf(key);
    const claim = this.#claims.get(text);
    if (claim?.owner !== owner || claim.endsAt <= this.#clock.monotonic()) return false;
    this.#claims.delete(text);
    this.#tokens.set(text, Object.freeze({ ...token }));
    return true;
  }

  abandonRefresh(key: TokenKey, owner: string): void {
    const text = textOf(key);
    if (this.#claims.get(text)?.owner === owner) this.#claims.delete(text);
  }

  forget(key: TokenKey): void {
    this.#tokens.delete(textOf(key));
  }

  #makeRoom(now: number): void {
    if (this.#claims.size < this.#maxEntries) return;
    for (const [text, { endsAt }] of this.#claims) if (endsAt <= now) this.#claims.delete(text);
    if (this.#claims.size >= this.#maxEntries) throw new CaracalError('credential_unavailable', 'token_cache_full');
  }
}

// The number of qualifiers needs no place of its own: each part says where it ends.
function textOf({ zoneId, providerId, qualifiers }: TokenKey): string {
  return compositeKey([zoneId, providerId, ...qualifiers]);
}
