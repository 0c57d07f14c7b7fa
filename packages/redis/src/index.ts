export { RECOMMENDED_REDIS_OPTIONS, type RedisClient } from './commands/client.js';
export { MAX_REPLY_BYTES } from './commands/commands.js';
export { DEFAULT_PREFIX } from './keyspace.js';
export { redisRateLimiter } from './rate-limiter.js';
export { type RedisStores, type RedisStoresOptions, redisStores } from './redis-stores.js';
export { REDIS_REPLAY_CLOCK_SKEW_SECONDS, type RedisReplayStoreOptions, redisReplayStore } from './replay-store.js';
export {
  REDIS_REVOCATION_DEFAULTS,
  type RedisRevocationStoreOptions,
  redisRevocationStore,
} from './revocation-store.js';
export type { RedisRevocationStore } from './revocations/store.js';
export { DEFAULT_TIMEOUT_MS, type OnWarning, type RedisStoreOptions } from './store-options.js';
export { type RedisTokenCacheOptions, redisTokenCache } from './token-cache.js';
