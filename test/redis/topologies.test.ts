import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Anchor } from '@caracal/core';
import { RECOMMENDED_REDIS_OPTIONS, type RedisClient, redisStores } from '@caracal/redis';
import { eventually } from '@caracal/testkit';
import { Cluster, Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { freePort, type RedisServer, startRedis } from '../servers/redis.js';

const ISSUER = 'https://issuer.example';
const SIGNING_KEY = new Uint8Array(32).fill(9);

function anchor(id: string): Anchor {
  return { zoneId: 'default', issuer: ISSUER, kind: 'sid', id };
}

function open(client: RedisClient) {
  return redisStores({ client, signingKey: SIGNING_KEY, onWarning: () => undefined });
}

function useOf(jti: string) {
  const now = Math.floor(Date.now() / 1000);
  return { zoneId: 'default', issuer: ISSUER, jti, issuedAt: now + 60, expiresAt: now + 900 };
}

describe('a cluster of three', () => {
  it('carries every store, with each script in one slot', { timeout: 120_000 }, async () => {
    const masters: RedisServer[] = [];
    for (let i = 0; i < 3; i++) masters.push(await startRedis({ arguments: ['--cluster-enabled', 'yes'] }));
    const clients: Cluster[] = [];
    try {
      await makeCluster(masters);
      const connect = (): Cluster => {
        const nodes = masters.map(({ port }) => ({ host: '127.0.0.1', port }));
        const { retryStrategy: _, ...redisOptions } = RECOMMENDED_REDIS_OPTIONS;
        const cluster = new Cluster(nodes, { redisOptions });
        cluster.on('error', () => undefined);
        clients.push(cluster);
        return cluster;
      };
      const one = open(connect());
      const other = open(connect());
      await Promise.all([one.ready(30_000), other.ready(30_000)]);
      await one.revocations.revoke(anchor('a'));
      await eventually('the other knows', () => other.revocations.isRevoked([anchor('a')]));
      for (let i = 0; i < 50; i++) {
        const verdicts = await Promise.all([one, other].map((stores) => stores.replays.use(useOf(`${i}`))));
        expect(verdicts.sort()).toEqual(['first', 'replayed']);
        const key = { zoneId: 'default', providerId: `provider-${i}`, qualifiers: [] };
        expect(await one.tokens.claimRefresh(key, 'a', 60_000)).toBe(true);
        expect(await other.tokens.claimRefresh(key, 'b', 60_000)).toBe(false);
        const token = { value: 't', obtainedAtMs: Date.now(), expiresAtMs: Date.now() + 60_000, afterRefusal: false };
        expect(await one.tokens.finishRefresh(key, 'a', token)).toBe(true);
        expect((await other.tokens.get(key))?.value).toBe('t');
        const limit = { requests: 1, windowSeconds: 3_600 };
        const rateKey = { zoneId: 'default', issuer: ISSUER, applicationId: `${i}`, resource: 'resource://api' };
        expect((await one.rateLimiter.consume(rateKey, limit)).allowed).toBe(true);
        expect((await other.rateLimiter.consume(rateKey, limit)).allowed).toBe(false);
      }
      const spread = await Promise.all(masters.map(async (master) => (await master.connect()).dbsize()));
      expect(Math.min(...spread), 'spread over the nodes').toBeGreaterThan(10);
      await Promise.all([one.close(), other.close()]);
    } finally {
      for (const cluster of clients) cluster.disconnect();
      for (const master of masters) await master.close();
    }
  });
});

/** As `redis-cli --cluster create` does, in a second instead of ten. */
async function makeCluster(masters: readonly RedisServer[]): Promise<void> {
  const clients = await Promise.all(masters.map((master) => master.connect()));
  const share = Math.ceil(16_384 / masters.length);
  for (const [index, client] of clients.entries()) {
    await client.call('CLUSTER', 'ADDSLOTSRANGE', index * share, Math.min(16_383, (index + 1) * share - 1));
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  for (const { port } of masters.slice(1)) await clients[0]!.call('CLUSTER', 'MEET', '127.0.0.1', port);
  await eventually('every node knows the whole cluster', async () => {
    const states = await Promise.all(clients.map(async (client) => String(await client.call('CLUSTER', 'INFO'))));
    return states.every((state) => state.includes('cluster_state:ok') && state.includes('cluster_known_nodes:3'));
  });
}

describe('a primary whose replicas have to confirm', () => {
  it('acknowledges what they have, and says of the rest that it is written and not confirmed', {
    timeout: 120_000,
  }, async () => {
    const diskless = ['--repl-diskless-sync-delay', '0'];
    const primary = await startRedis({ arguments: diskless });
    const replica = await startRedis({ arguments: ['--replicaof', `127.0.0.1 ${primary.port}`, ...diskless] });
    const client = await primary.connect(RECOMMENDED_REDIS_OPTIONS);
    const stores = redisStores({ client, waitReplicas: 1, onWarning: () => undefined });
    const watching = redisStores({ client, onWarning: () => undefined });
    try {
      const replicaClient = await replica.connect();
      await Promise.all([stores.ready(30_000), watching.ready(30_000)]);
      await eventually('the replica has caught up', async () =>
        (await replicaClient.info('replication')).includes('master_link_status:up'),
      );
      await stores.revocations.revoke(anchor('confirmed'));
      replica.signal('SIGSTOP');
      const unconfirmed = Array.from({ length: 20 }, (_, index) => stores.revocations.revoke(anchor(`${index}`)));
      for (const each of await Promise.allSettled(unconfirmed)) {
        expect(each).toMatchObject({
          status: 'rejected',
          reason: { code: 'revocation_unavailable', reason: 'not_replicated' },
        });
      }
      // In effect all the same, here and elsewhere, and nothing else waited for replicas.
      expect(stores.revocations.isRevoked([anchor('7')])).toBe(true);
      await eventually('the other knows', () => watching.revocations.isRevoked([anchor('7')]));
      await watching.revocations.revoke(anchor('unasked'));
      const fresh = stores.revocations.freshAsOf();
      await eventually('its state is proved complete meanwhile', () => stores.revocations.freshAsOf() > fresh);
      replica.signal('SIGCONT');
      await eventually('asked again, it is confirmed', () =>
        stores.revocations.revoke(anchor('7')).then(
          () => true,
          () => false,
        ),
      );
    } finally {
      replica.signal('SIGCONT');
      await Promise.all([stores.close(), watching.close()]);
      for (const server of [replica, primary]) await server.close();
    }
  });
});

describe('a primary with a replica, watched by a sentinel', () => {
  it('is followed over a failover, and gets back what the replica had not heard of', { timeout: 120_000 }, async () => {
    const primary = await startRedis({ arguments: ['--repl-diskless-sync-delay', '0'] });
    const replica = await startRedis({
      arguments: ['--replicaof', `127.0.0.1 ${primary.port}`, '--repl-diskless-sync-delay', '0'],
    });
    const directory = await mkdtemp(join(tmpdir(), 'caracal-sentinel-'));
    const port = await freePort();
    const configuration = join(directory, 'sentinel.conf');
    await writeFile(
      configuration,
      [
        `port ${port}`,
        'bind 127.0.0.1',
        `dir ${directory}`,
        `sentinel monitor caracal 127.0.0.1 ${primary.port} 1`,
        'sentinel down-after-milliseconds caracal 1000',
        'sentinel failover-timeout caracal 5000',
      ].join('\n'),
    );
    const sentinel = await startRedis({ port, configuration });
    const client = new Redis({
      ...RECOMMENDED_REDIS_OPTIONS,
      sentinels: [{ host: '127.0.0.1', port }],
      name: 'caracal',
      sentinelRetryStrategy: () => 100,
    });
    client.on('error', () => undefined);
    const stores = open(client);
    try {
      const replicaClient = await replica.connect();
      await stores.ready(30_000);
      await stores.revocations.revoke(anchor('before'));
      await eventually('the replica has it', async () =>
        (await replicaClient.info('replication')).includes('master_link_status:up'),
      );
      await eventually('the sentinel knows the replica', async () => {
        const watching = await sentinel.connect();
        const known = String(await watching.call('SENTINEL', 'MASTER', 'caracal'));
        watching.disconnect();
        return known.includes('num-slaves,1');
      });
      // The replica hears nothing more, and the primary goes on.
      await replicaClient.call('CLIENT', 'PAUSE', 1, 'ALL').catch(() => undefined);
      replica.signal('SIGSTOP');
      await stores.revocations.revoke(anchor('lost'));
      await primary.kill();
      const stale = stores.revocations.freshAsOf();
      replica.signal('SIGCONT');
      await eventually('it is fresh again, by the new primary', () => stores.revocations.freshAsOf() > stale + 500);
      expect(stores.revocations.isRevoked([anchor('lost')])).toBe(true);
      const other = open(replicaClient);
      await other.ready(30_000);
      await eventually('what was lost is back', () => other.revocations.isRevoked([anchor('lost')]));
      expect(other.revocations.isRevoked([anchor('before')])).toBe(true);
      await other.close();
    } finally {
      await stores.close();
      client.disconnect();
      for (const server of [sentinel, replica, primary]) await server.close();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
