import type { Awaitable } from '../pipeline.js';

/** Which token. Kept as fields: joined text would let one part pose as another. */
export interface TokenKey {
  readonly zoneId: string;
  readonly providerId: string;
  /** What else the token depends on, in a fixed order: connection id, resource, scopes. Empty where nothing. */
  readonly qualifiers: readonly string[];
}

/** A token obtained before. */
export interface CachedToken {
  /** The token, or what the provider has sealed it into: a cache outside the process must not see tokens. */
  readonly value: string;
  /** Wall clock, ms since the epoch: not answered from then on. */
  readonly expiresAtMs: number;
  /** Wall clock, ms since the epoch. */
  readonly obtainedAtMs: number;
  /** Obtained because the upstream had refused the one before: not to be renewed again at once, whichever process asks. */
  readonly afterRefusal: boolean;
}

/**
 * Port: a token obtained before, and one refresh of it at a time across all processes that share the cache. Whoever wants
 * to refresh claims the key under a name of its own (random, one a refresh) for a limited time, so that a process which dies
 * blocks nobody for longer; whoever gets no claim waits a little and reads again.
 */
export interface TokenCache {
  /** The token, unless it has expired or was forgotten: forgetting is allowed at any time. */
  get(key: TokenKey): Awaitable<CachedToken | undefined>;
  /**
   * Claims the refresh of this key for `leaseMs`. Atomic: while one owner's claim lives, every other is told `false`. The
   * owner itself claims again to have more time.
   */
  claimRefresh(key: TokenKey, owner: string, leaseMs: number): Awaitable<boolean>;
  /**
   * Keeps the token and ends the claim, in one step; `false`, and nothing is kept, where the claim is no longer the owner's.
   * A refresh that took too long must not overwrite a newer one.
   */
  finishRefresh(key: TokenKey, owner: string, token: CachedToken): Awaitable<boolean>;
  /** Ends the claim without a token. Does nothing where it is not the owner's. */
  abandonRefresh(key: TokenKey, owner: string): Awaitable<void>;
  /** Forgets the token: its account was disconnected. Claims stay. Idempotent. */
  forget(key: TokenKey): Awaitable<void>;
}
