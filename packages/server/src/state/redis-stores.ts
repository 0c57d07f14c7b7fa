import type { Anchor, RateLimiter, ReplayStore, RevocationStore, TokenCache } from '@caracal/core';
import type { Configuration } from '../configuration/configuration.js';
import { ConfigurationError, type ConfigurationProblem } from '../configuration/problem.js';
import { causeName, faultLog } from '../log/fault-log.js';
import type { Log } from '../log/log.js';
import { tryRead } from '../secrets/try-read.js';

/** The stores that every process with this Redis shares. */
export interface SharedStores {
  readonly revocations: RevocationStore;
  readonly replays: ReplayStore;
  readonly rateLimiter: RateLimiter;
  readonly tokenCache: TokenCache;
  /** What is revoked now; `undefined` where every process reads it by itself. */
  readonly revoked: (() => Iterable<readonly [Anchor, number]>) | undefined;
  close(): Promise<void>;
}

type RedisConfiguration = NonNullable<Configuration['stores']['redis']>;

/** What sealing needs, bytes. */
const MIN_KEY_BYTES = 32;

/**
 * Stores on Redis. Does not wait for it: while it is away requests are refused, and readiness says so.
 *
 * @throws ConfigurationError where its URL or its key cannot be had
 */
export async function openRedisStores(
  redis: RedisConfiguration,
  environment: NodeJS.ProcessEnv,
  log: Log,
): Promise<SharedStores> {
  const { url, signingKey } = await secretsOf(redis, environment);
  // Loaded by those who use it.
  const [{ Redis }, { RECOMMENDED_REDIS_OPTIONS, redisStores }] = await Promise.all([
    import('ioredis'),
    import('@caracal/redis'),
  ]);
  const client = new Redis(url, RECOMMENDED_REDIS_OPTIONS);
  const tell = faultLog(log, 'redis_fault');
  client.on('error', (cause) => tell({ requestId: undefined, reason: 'connection', cause }, 'redis'));
  const onWarning = (message: string, cause?: unknown) =>
    log({ level: 'warn', event: 'store_warning', message, cause: causeName(cause) });
  const { prefix, waitReplicas } = redis;
  const stores = redisStores({
    client,
    prefix,
    waitReplicas,
    onWarning,
    ...(signingKey === undefined ? {} : { signingKey }),
  });
  return {
    revocations: stores.revocations,
    replays: stores.replays,
    rateLimiter: stores.rateLimiter,
    tokenCache: stores.tokens,
    revoked: undefined,
    async close() {
      await stores.close();
      client.disconnect();
    },
  };
}

async function secretsOf(redis: RedisConfiguration, environment: NodeJS.ProcessEnv) {
  const problems: ConfigurationProblem[] = [];
  const url = (await tryRead(redis.url, 'stores.redis.url', environment, problems))?.reveal();
  if (url !== undefined && !(/^rediss?:\/\//.test(url) && URL.canParse(url))) {
    const remedy = 'give redis://host:6379, or rediss:// for TLS';
    problems.push({ path: 'stores.redis.url', fault: 'is no URL of a Redis', remedy });
  }
  const key =
    redis.signingKey === undefined
      ? undefined
      : (await tryRead(redis.signingKey, 'stores.redis.signingKey', environment, problems))?.reveal();
  const signingKey = key === undefined ? undefined : Buffer.from(key, 'base64');
  if (signingKey !== undefined && signingKey.length < MIN_KEY_BYTES) {
    const fault = `is shorter than ${MIN_KEY_BYTES} bytes`;
    problems.push({ path: 'stores.redis.signingKey', fault, remedy: 'make one: openssl rand -base64 32' });
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return { url: url!, signingKey };
}
