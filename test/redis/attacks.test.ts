import type { Anchor } from '@caracal/core';
import {
  MAX_REPLY_BYTES,
  type RedisRevocationStore,
  type RedisRevocationStoreOptions,
  redisRevocationStore,
} from '@caracal/redis';
import { eventually, manualClock } from '@caracal/testkit';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../servers/redis.js';

let server: RedisServer;
let attacker: Redis;
let prefix = '';
let count = 0;
let stores: RedisRevocationStore[] = [];
let warnings: string[] = [];

beforeAll(async () => {
  server = await startRedis({ arguments: ['--repl-diskless-sync-delay', '0'] });
  attacker = await server.connect();
});
afterAll(() => server.close());

beforeEach(() => {
  prefix = `attack-${++count}`;
  stores = [];
  warnings = [];
});
afterEach(async () => {
  for (const store of stores) await store.close();
  await attacker.flushall();
});

const KEY = new Uint8Array(32).fill(3);

/** A process of its own, as far as the store can tell. Not awaited until it is ready. */
async function start(options: Partial<RedisRevocationStoreOptions> = {}): Promise<RedisRevocationStore> {
  const client = await server.connect();
  const store = redisRevocationStore({
    client,
    prefix,
    signingKey: KEY,
    settleMs: 0,
    heartbeatMs: 20,
    onWarning: (message) => void warnings.push(message),
    ...options,
  });
  stores.push(store);
  return store;
}

async function started(options: Partial<RedisRevocationStoreOptions> = {}): Promise<RedisRevocationStore> {
  const store = await start(options);
  await store.ready();
  return store;
}

function anchor(id: string, of: Partial<Anchor> = {}): Anchor {
  return { zoneId: 'default', issuer: 'https://issuer.example', kind: 'sid', id, ...of };
}

const keysOf = async (): Promise<string[]> => (await attacker.keys(`*${prefix}:*`)).sort();
const bucketKeys = async (): Promise<string[]> => (await keysOf()).filter((key) => /:(\d+|lasting)$/.test(key));
const headKey = (): string => `{${prefix}:revocations}:head`;
const logKey = async (): Promise<string> => (await keysOf()).find((key) => key.endsWith(':log'))!;

/** Beats have passed since, and the store has seen what there was to see. */
async function freshAgain(store: RedisRevocationStore): Promise<void> {
  const now = performance.now();
  await eventually('fresh', () => store.freshAsOf() > now);
}

async function neverReady(store: RedisRevocationStore): Promise<void> {
  await expect(store.ready(300)).rejects.toMatchObject({ reason: 'not_ready' });
  expect(store.freshAsOf()).toBe(Number.NEGATIVE_INFINITY);
}

describe('whoever can write to Redis and has no key', () => {
  it('cannot un-revoke by removing an entry: who knows it keeps it, who does not is not fresh', async () => {
    const running = await started();
    await running.revoke(anchor('a'));
    await running.revoke(anchor('b'));
    const [bucket] = await bucketKeys();
    await attacker.hdel(bucket!, JSON.stringify(['default', 'https://issuer.example', 'sid', 'a']));
    await freshAgain(running);
    expect(running.isRevoked([anchor('a')])).toBe(true);
    const late = await start({ settleMs: 500 });
    await neverReady(late);
    expect(warnings.join()).toContain('its entries are not those of its head');
    // The remedy: those who know write everything anew.
    await attacker.del(headKey());
    await late.ready();
    expect(late.isRevoked([anchor('a')])).toBe(true);
    expect(late.isRevoked([anchor('b')])).toBe(true);
  });

  it.each([
    [
      'puts another entry in its place',
      async (bucket: string) => {
        await attacker.hset(bucket, JSON.stringify(['default', 'https://issuer.example', 'sid', 'other']), '1');
      },
    ],
    [
      'makes it a lift',
      async (bucket: string) => {
        await attacker.hset(bucket, JSON.stringify(['default', 'https://issuer.example', 'sid', 'a']), '0');
      },
    ],
    [
      'writes what cannot be read',
      async (bucket: string) => {
        await attacker.hset(bucket, '{"a', '1');
      },
    ],
    [
      'removes the bucket',
      async (bucket: string) => {
        await attacker.del(bucket);
      },
    ],
  ])('cannot deceive a process that starts where it %s', async (_, change) => {
    const running = await started();
    await running.revoke(anchor('a'));
    await change((await bucketKeys())[0]!);
    await neverReady(await start());
  });

  it('cannot revoke or lift through the log, and does not stop it for long', async () => {
    const running = await started();
    await running.revoke(anchor('a'));
    const other = await started();
    const head = (await attacker.get(headKey()))!;
    const lift = JSON.stringify([[0, 999_999_999, 'default', 'https://issuer.example', 'sid', 'a']]);
    await attacker.xadd(await logKey(), '*', 'changes', lift, 'head', head);
    await attacker.xadd(await logKey(), '*', 'nonsense', '1');
    for (const store of [running, other]) {
      await freshAgain(store);
      expect(store.isRevoked([anchor('a')])).toBe(true);
    }
    await running.revoke(anchor('b'));
    await eventually('news arrive all the same', () => other.isRevoked([anchor('b')]));
  });

  it('cannot make a lift count again that was once true', async () => {
    const running = await started();
    const other = await started();
    await running.revoke(anchor('a'));
    await running.lift(anchor('a'));
    const entries = await attacker.xrange(await logKey(), '-', '+');
    const [, lifting] = entries.at(-1)!;
    await running.revoke(anchor('a'));
    await eventually('the other knows', () => other.isRevoked([anchor('a')]));
    const last = (await attacker.xrange(await logKey(), '-', '+')).at(-1)!;
    await attacker.xadd(await logKey(), `${Number(last[0].split('-')[0]) + 1}-1`, ...lifting);
    for (const store of [running, other]) {
      await freshAgain(store);
      expect(store.isRevoked([anchor('a')])).toBe(true);
    }
  });

  it('cannot bring back an old copy of everything for longer than a beat', async () => {
    const running = await started();
    const other = await started();
    await running.revoke(anchor('old'));
    const copies = await Promise.all(
      (await keysOf()).map(async (key) => [key, await attacker.dumpBuffer(key)] as const),
    );
    await running.revoke(anchor('new'));
    await eventually('the other knows', () => other.isRevoked([anchor('new')]));
    await attacker.flushall();
    for (const [key, copy] of copies) await attacker.restore(key, 0, copy!, 'REPLACE');
    await freshAgain(running);
    const late = await started();
    await eventually('it is written back', () => late.isRevoked([anchor('new')]));
    for (const store of [running, other]) expect(store.isRevoked([anchor('new')])).toBe(true);
    expect(warnings.join()).toContain('another, or an older one');
  });

  it('cannot hold a head of its own against those who know better', async () => {
    const running = await started();
    await running.revoke(anchor('a'));
    await attacker.set(headKey(), `${'A'.repeat(43)} ["forged",9,0,[]]`);
    await freshAgain(running);
    expect(running.isRevoked([anchor('a')])).toBe(true);
    const late = await started();
    expect(late.isRevoked([anchor('a')])).toBe(true);
  });

  it('cannot end a process with values that have no end: nobody else would know what is revoked', async () => {
    const subscriber = await server.connect();
    const streams = [subscriber.stream];
    subscriber.on('connect', () => void streams.push(subscriber.stream));
    // Each beat of theirs takes in what is too long once more: not fifty times a second, which a busy machine cannot do.
    const calm = { heartbeatMs: 250, timeoutMs: 20_000 };
    const running = await started({ subscriber, ...calm });
    const other = await started(calm);
    await running.revoke(anchor('a'));
    await eventually('the other knows', () => other.isRevoked([anchor('a')]));
    const value = Buffer.alloc(MAX_REPLY_BYTES / 2, 'x');
    const atOnce = attacker.multi();
    for (let i = 0; i < 4; i++) atOnce.xadd(await logKey(), '*', 'changes', value, 'head', 'x');
    await atOnce.exec();
    await eventually('it is broken off again and again', () => streams.length > 2);
    for (const store of [running, other]) {
      await freshAgain(store);
      expect(store.isRevoked([anchor('a')])).toBe(true);
    }
    // Which removes what does not belong into the log, at the latest when the server is less busy with it.
    await running.revoke(anchor('b')).catch(() => undefined);
    await eventually('news arrive again', () => other.isRevoked([anchor('b')]));
    // What was on its way when it was broken off comes all the same.
    for (const { bytesRead } of streams) expect(bytesRead).toBeLessThan(1.5 * MAX_REPLY_BYTES);
  }, 120_000);

  it('cannot carry a dataset over from another prefix', async () => {
    const elsewhere = prefix;
    await (await started()).revoke(anchor('a'));
    prefix = `${elsewhere}-copy`;
    for (const key of await attacker.keys(`*${elsewhere}:*`)) {
      await attacker.restore(key.replace(elsewhere, prefix), 0, (await attacker.dumpBuffer(key))!);
    }
    await neverReady(await start());
  });
});

describe('keys of our own', () => {
  it('refuses a process with another key, or none, and lets it change nothing', async () => {
    const running = await started();
    await running.revoke(anchor('a'));
    const head = await attacker.get(headKey());
    for (const signingKey of [new Uint8Array(32).fill(4), new Uint8Array(64).fill(3)])
      await neverReady(await start({ signingKey }));
    const { signingKey: _, ...unsigned } = { signingKey: KEY };
    const client = await server.connect();
    const without = redisRevocationStore({ client, prefix, settleMs: 0, onWarning: () => undefined, ...unsigned });
    stores.push(without);
    await neverReady(without);
    await expect(without.revoke(anchor('x'))).rejects.toMatchObject({ reason: 'not_durable' });
    expect(await attacker.get(headKey())).toBe(head);
    await freshAgain(running);
  });
});

describe('a dataset that was lost', () => {
  it('gets everything back from those who know it, who are fresh again by themselves', async () => {
    const [one, other] = [await started(), await started()];
    for (let i = 0; i < 1_200; i++) void one.revoke(anchor(`${i}`)).catch(() => undefined);
    await one.revoke(anchor('alice', { kind: 'sub' }));
    await one.lift(anchor('7'));
    await eventually(
      'the other knows',
      () => other.isRevoked([anchor('alice', { kind: 'sub' })]) && !other.isRevoked([anchor('7')]),
    );
    await attacker.flushall();
    await Promise.all([freshAgain(one), freshAgain(other)]);
    const late = await started();
    await eventually(
      'all of it is there',
      () => late.isRevoked([anchor('1199')]) && late.isRevoked([anchor('alice', { kind: 'sub' })]),
    );
    for (const store of [one, other, late]) {
      expect(store.isRevoked([anchor('0')])).toBe(true);
      expect(store.isRevoked([anchor('7')]), 'lifted').toBe(false);
    }
    expect(warnings.join()).toContain('gone');
  });

  it('does not bring back what was lifted while a process was away', async () => {
    const running = await started();
    const client = await server.connect();
    const away = await started({ client });
    await running.revoke(anchor('app', { kind: 'client_id' }));
    await running.revoke(anchor('s'));
    await eventually(
      'it knows',
      () => away.isRevoked([anchor('app', { kind: 'client_id' })]) && away.isRevoked([anchor('s')]),
    );
    // More than the log holds would have passed: for the process it is the same where the log is gone.
    client.disconnect();
    await running.lift(anchor('app', { kind: 'client_id' }));
    await running.lift(anchor('s'));
    await attacker.del(await logKey());
    await client.connect();
    await freshAgain(away);
    await freshAgain(running);
    for (const store of [running, away]) {
      expect(store.isRevoked([anchor('app', { kind: 'client_id' })])).toBe(false);
      expect(store.isRevoked([anchor('s')])).toBe(false);
    }
  });

  it('makes a process that never knew it wait until those who did may have written back', async () => {
    const late = await start({ settleMs: 700 });
    const startedAt = performance.now();
    await late.ready();
    expect(performance.now() - startedAt).toBeGreaterThan(600);
    const next = await start({ settleMs: 60_000 });
    await next.ready(); // this dataset has settled
  });

  it('is not begun by a process that was told not to', async () => {
    await neverReady(await start({ beginsDataset: false }));
    expect(await attacker.exists(headKey())).toBe(0);
  });
});

describe('a process that fell behind', () => {
  it('reads the whole state again where the log does not reach back so far', async () => {
    const running = await started();
    const client = await server.connect();
    const away = await started({ client });
    client.disconnect();
    await running.revoke(anchor('a'));
    await running.revoke(anchor('b'));
    await attacker.xtrim(await logKey(), 'MAXLEN', 1);
    await client.connect();
    await eventually('it knows', () => away.isRevoked([anchor('a')]) && away.isRevoked([anchor('b')]));
    await freshAgain(away);
  });

  it('is told of what it missed, so that streams are cut', async () => {
    const running = await started();
    const client = await server.connect();
    const away = await started({ client });
    const told: string[] = [];
    away.subscribe((revoked) => void told.push(...revoked.map(({ id }) => id)));
    client.disconnect();
    await running.revoke(anchor('a'));
    await attacker.del(await logKey());
    await client.connect();
    await eventually('it is told', () => told.includes('a'));
    expect(told).toEqual(['a']);
  });

  it('does without the connection for news: beats find them', async () => {
    const running = await started();
    const subscriber = await server.connect();
    const other = await started({ subscriber });
    subscriber.disconnect();
    await running.revoke(anchor('a'));
    await eventually('it knows', () => other.isRevoked([anchor('a')]));
    await freshAgain(other);
  });
});

describe('a wall clock that is set', () => {
  it('ends no revocation early, whichever way and whenever it is set', async () => {
    const hour = 60 * 60 * 1000;
    const clock = manualClock();
    const store = await started({ clock });
    clock.setWall(clock.now() + 10 * hour); // it was behind
    await store.revoke(anchor('a'));
    const right = manualClock(clock.now());
    const other = await started({ clock: right });
    right.advance(24 * hour);
    expect(other.isRevoked([anchor('a')])).toBe(true);
    other.revoke(anchor('b')).catch(() => undefined);
    right.setWall(right.now() + 300 * hour); // by mistake
    expect(other.isRevoked([anchor('b')])).toBe(true);
  });
});

describe('a replica', () => {
  it('is not fresh, whatever it answers', async () => {
    const running = await started();
    await running.revoke(anchor('a'));
    const replica = await startRedis({ arguments: ['--replicaof', `127.0.0.1 ${server.port}`] });
    try {
      const client = await replica.connect();
      await eventually('it has a copy', async () => (await client.exists(headKey())) === 1);
      await neverReady(await start({ client }));
      expect(warnings.join()).toContain('READONLY');
    } finally {
      await replica.close();
    }
  });
});
