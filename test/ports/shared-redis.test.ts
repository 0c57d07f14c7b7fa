import {
  RECOMMENDED_REDIS_OPTIONS,
  type RedisStoreOptions,
  redisRateLimiter,
  redisReplayStore,
  redisRevocationStore,
  redisTokenCache,
} from '@caracal/redis';
import {
  type MakeShared,
  sharedRateLimiterCases,
  sharedReplayStoreCases,
  sharedRevocationStoreCases,
  sharedTokenCacheCases,
} from '@caracal/testkit';
import { afterAll, beforeAll, describe } from 'vitest';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { sharedSuite } from './port-suite.js';

let server: RedisServer;
let subjects = 0;

beforeAll(async () => {
  // What was acknowledged is on the disk, so that an outage of any kind gives everything back.
  server = await startRedis({ arguments: ['--appendonly', 'yes', '--appendfsync', 'always'] });
});
afterAll(() => server.close());

const DEADLINE_MS = 300;

/** Ways for a server to go away. */
const OUTAGES = {
  'is killed': { begin: () => server.kill(), end: () => server.restart() },
  'is paused': { begin: async () => server.signal('SIGSTOP'), end: async () => server.signal('SIGCONT') },
};

function subject<Port>(
  outage: keyof typeof OUTAGES,
  make: (options: RedisStoreOptions) => Promise<Port & { close?(): Promise<void> }>,
): MakeShared<Port> {
  return async () => {
    const prefix = `shared-${++subjects}`;
    const opened: { close(): Promise<void> }[] = [];
    return {
      open: async () => {
        const client = await server.connect(RECOMMENDED_REDIS_OPTIONS);
        const store = await make({ client, prefix, timeoutMs: DEADLINE_MS });
        opened.push({
          close: async () => {
            await store.close?.();
            client.disconnect();
          },
        });
        return store;
      },
      now: Date.now,
      deadlineMs: DEADLINE_MS,
      outage: OUTAGES[outage],
      close: async () => {
        for (const store of opened) await store.close();
      },
    };
  };
}

const onWarning = (): void => undefined;

describe.each(Object.keys(OUTAGES) as (keyof typeof OUTAGES)[])('where the server %s', (outage) => {
  sharedSuite(
    'redisRevocationStore',
    sharedRevocationStoreCases,
    subject(outage, async (options) => {
      const signingKey = new Uint8Array(32).fill(1);
      const store = redisRevocationStore({ ...options, signingKey, settleMs: 0, heartbeatMs: 50, onWarning });
      await store.ready();
      return store;
    }),
  );
  sharedSuite(
    'redisReplayStore',
    sharedReplayStoreCases,
    subject(outage, async (options) => redisReplayStore(options)),
  );
  sharedSuite(
    'redisTokenCache',
    sharedTokenCacheCases,
    subject(outage, async (options) => redisTokenCache(options)),
  );
  sharedSuite(
    'redisRateLimiter',
    sharedRateLimiterCases,
    subject(outage, async (options) => redisRateLimiter(options)),
  );
});
