import type { RateLimiter, ReplayStore, TokenCache } from '@caracal/core';
import { refuseUnknownOptions } from '@caracal/core';
import type { RedisClient } from './commands/client.js';
import { redisRateLimiter } from './rate-limiter.js';
import { redisReplayStore } from './replay-store.js';
import { redisRevocationStore } from './revocation-store.js';
import type { RedisRevocationStore } from './revocations/store.js';
import type { OnWarning } from './store-options.js';
import { redisTokenCache } from './token-cache.js';

/** Options of {@link redisStores}. */
export interface RedisStoresOptions {
  readonly client: RedisClient;
  readonly prefix?: string;
  readonly timeoutMs?: number;
  readonly signingKey?: Uint8Array;
  readonly waitReplicas?: number;
  readonly onWarning?: OnWarning;
}

/** Every store that Redis can be, over one connection and the one that brings revocations. */
export interface RedisStores {
  readonly revocations: RedisRevocationStore;
  readonly replays: ReplayStore;
  readonly tokens: TokenCache;
  readonly rateLimiter: RateLimiter;
  /** As `revocations.ready`. */
  ready(timeoutMs?: number): Promise<void>;
  /** As `revocations.close`: the client stays yours to close. */
  close(): Promise<void>;
}

/** Makes every store with the defaults of each. @throws TypeError for options that are not in order */
export function redisStores(options: RedisStoresOptions): RedisStores {
  const known = ['client', 'prefix', 'timeoutMs', 'signingKey', 'waitReplicas', 'onWarning'];
  refuseUnknownOptions('redisStores', options, known);
  const { signingKey, waitReplicas, onWarning, ...shared } = options;
  const revocations = redisRevocationStore(options);
  return {
    revocations,
    replays: redisReplayStore(shared),
    tokens: redisTokenCache(shared),
    rateLimiter: redisRateLimiter(shared),
    ready: (timeoutMs) => revocations.ready(timeoutMs),
    close: () => revocations.close(),
  };
}
