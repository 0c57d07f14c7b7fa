import { randomUUID } from 'node:crypto';
import {
  type RedisStoreOptions,
  redisRateLimiter,
  redisReplayStore,
  redisRevocationStore,
  redisTokenCache,
} from '@caracal/redis';
import {
  type MakePort,
  type ManualClock,
  manualClock,
  type PortCase,
  rateLimiterCases,
  replayStoreCases,
  revocationStoreCases,
  tokenCacheCases,
} from '@caracal/testkit';
import { Redis as Redis5 } from 'ioredis5';
import { afterAll, beforeAll } from 'vitest';
import { useRedis } from '../servers/redis.js';
import { travel } from '../servers/travel.js';
import { portSuite } from './port-suite.js';

let server: Awaited<ReturnType<typeof useRedis>>;
let subjects = 0;
const run = randomUUID();

beforeAll(async () => {
  server = await useRedis();
});
afterAll(() => server.close());

type Make<Port> = (
  options: RedisStoreOptions,
  clock: ManualClock,
  capacity: number | undefined,
) => Promise<Port & { close?(): Promise<void> }>;

/** A store on the shared server under a prefix of its own, whose time can be moved. */
function subject<Port>(make: Make<Port>): MakePort<Port> {
  return async (wishes) => {
    const clock = manualClock();
    const prefix = `${run}-${++subjects}`;
    const client = await server.connect();
    const store = await make({ client, prefix }, clock, wishes?.capacity);
    return {
      store,
      now: clock.now,
      advance: async (ms) => {
        clock.advance(ms);
        await travel(client, prefix, ms);
      },
      close: async () => {
        await store.close?.();
        const keys = await client.keys(`*${prefix}:*`);
        if (keys.length > 0) await client.del(...keys);
        client.disconnect();
      },
    };
  };
}

// How much the others hold is the server's `maxmemory`: test/redis/bounds.test.ts.
function unbounded<Port>(cases: readonly PortCase<Port>[]): readonly PortCase<Port>[] {
  return cases.filter(({ needs }) => !needs.includes('capacity'));
}

const revocations: Make<Awaited<ReturnType<typeof redisRevocationStore>>> = async (options, clock, maxEntries) => {
  const bound = maxEntries === undefined ? {} : { maxEntries };
  const store = redisRevocationStore({ ...options, clock, settleMs: 0, ...bound });
  await store.ready();
  return store;
};

portSuite('redisRevocationStore', revocationStoreCases, subject(revocations));

portSuite(
  'redisRevocationStore with a signing key',
  revocationStoreCases,
  subject((options, clock, maxEntries) => {
    const signed = { ...options, signingKey: new Uint8Array(32).fill(7) };
    return revocations(signed, clock, maxEntries);
  }),
);

portSuite(
  'redisReplayStore',
  unbounded(replayStoreCases),
  subject(async (options, clock) => redisReplayStore({ ...options, clock })),
);

portSuite(
  'redisTokenCache',
  unbounded(tokenCacheCases),
  subject(async (options, clock) => redisTokenCache({ ...options, clock })),
);

portSuite(
  'redisRateLimiter',
  unbounded(rateLimiterCases),
  subject(async (options) => redisRateLimiter(options)),
);

portSuite(
  'redisReplayStore over ioredis 5',
  unbounded(replayStoreCases),
  subject(async (options, clock) => {
    const client = new Redis5(server.url);
    await client.ping();
    const store = redisReplayStore({ ...options, client, clock });
    return Object.assign(store, { close: async () => client.disconnect() });
  }),
);

portSuite(
  'redisRevocationStore over ioredis 5',
  revocationStoreCases,
  subject(async (options, clock, maxEntries) => {
    const client = new Redis5(server.url);
    await client.ping();
    const store = await revocations({ ...options, client }, clock, maxEntries);
    return {
      ...store,
      close: async () => {
        await store.close();
        client.disconnect();
      },
    };
  }),
);
