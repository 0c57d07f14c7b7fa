import { type Clock, refuseUnknownOptions, systemClock, wholeNumber } from '@caracal/core';
import type { RedisClient } from './commands/client.js';
import { RedisCommands } from './commands/commands.js';
import { RevocationDataset } from './revocations/dataset.js';
import { followLog } from './revocations/feed.js';
import { Replicas } from './revocations/replicas.js';
import { Seals } from './revocations/seals.js';
import { FollowedRevocations, type RedisRevocationStore } from './revocations/store.js';
import { type OnWarning, type RedisStoreOptions, storeSettings, tellConsole } from './store-options.js';

/** Options of {@link redisRevocationStore}. */
export interface RedisRevocationStoreOptions extends RedisStoreOptions {
  /** A connection of its own for news, closed with the store. Default `client.duplicate()`. */
  readonly subscriber?: RedisClient;
  /**
   * Seals the dataset: at least 32 random bytes, the same in every process and not known to Redis. Without it whoever writes to
   * Redis can revoke and lift.
   */
  readonly signingKey?: Uint8Array;
  /** How often the state is proved complete, ms. Default 500. */
  readonly heartbeatMs?: number;
  /** How long nobody is fresh after a restart, a failover or a loss, for everybody to write back what they know, ms. Default 5,000. */
  readonly settleMs?: number;
  /** Anchors revoked at once; more are refused. Default 1,000,000, some 100 MB of memory here and 200 MB in Redis. */
  readonly maxEntries?: number;
  /** Whether a process that knows nothing begins a dataset where there is none. `false`: it stays unavailable. Default true. */
  readonly beginsDataset?: boolean;
  /**
   * Replicas that must have confirmed a revocation before `revoke` resolves: else a failover may lose what was acknowledged. Takes one
   * connection more. Not with a `Cluster`. Default 0.
   */
  readonly waitReplicas?: number;
  /** Told what an operator should know. Default: one JSON line on the console. */
  readonly onWarning?: OnWarning;
  readonly clock?: Clock;
}

/** Defaults of {@link RedisRevocationStoreOptions}. */
export const REDIS_REVOCATION_DEFAULTS = Object.freeze({
  heartbeatMs: 500,
  settleMs: 5_000,
  maxEntries: 1_000_000,
  beginsDataset: true,
  waitReplicas: 0,
});

const KNOWN = [
  ...['client', 'prefix', 'timeoutMs', 'subscriber', 'signingKey', 'heartbeatMs', 'settleMs', 'maxEntries'],
  ...['beginsDataset', 'waitReplicas', 'onWarning', 'clock'],
];
const MIN_KEY_BYTES = 32;
/** As long as a timer can wait. */
const LONG_MS = 2 ** 31 - 1;

/**
 * Revocations shared by every process with this Redis and prefix. All of them stand in this process's memory too; a stream brings
 * the news within milliseconds, and a beat (`heartbeatMs`) proves against the primary that nothing is missing. While that cannot be
 * proved `freshAsOf` stands still.
 *
 * `revoke` takes effect here at once, and resolves when Redis has it. Where Redis fails it rejects with
 * `CaracalError('revocation_unavailable')`, reason `not_durable`: it stays in effect here, and is written when Redis is back. A `lift`
 * takes effect when Redis has it. Full, `revoke` rejects with reason `store_full`.
 *
 * With `waitReplicas`, `revoke` rejects with reason `not_replicated` where too few replicas have confirmed within `timeoutMs`: it is in effect
 * and written, and a failover could lose it.
 *
 * A dataset that has lost entries (emptied, restored from an old copy, failed over) gets them back from the processes that know
 * them. What was lifted is remembered for a day, so that nobody brings that back.
 *
 * Never waits for Redis at creation, and never throws for its absence. See docs/stores/redis.md for what sealing proves.
 *
 * @throws TypeError for options that are not in order.
 */
export function redisRevocationStore(options: RedisRevocationStoreOptions): RedisRevocationStore {
  refuseUnknownOptions('redisRevocationStore', options, KNOWN);
  const { client, prefix, timeoutMs } = storeSettings('redisRevocationStore', options);
  const { clock = systemClock, onWarning = tellConsole } = options;
  const { heartbeatMs, settleMs, maxEntries, beginsDataset, waitReplicas } = {
    ...REDIS_REVOCATION_DEFAULTS,
    ...options,
  };
  wholeNumber('redisRevocationStore', 'heartbeatMs', heartbeatMs, 10);
  wholeNumber('redisRevocationStore', 'settleMs', settleMs, 0);
  wholeNumber('redisRevocationStore', 'maxEntries', maxEntries);
  wholeNumber('redisRevocationStore', 'waitReplicas', waitReplicas, 0);
  if (waitReplicas > 0 && 'isCluster' in client && client.isCluster === true) {
    throw new TypeError('redisRevocationStore: waitReplicas asks one primary, and a Cluster has several; leave it out');
  }
  const seals = new Seals(signingKeyOf(options), prefix);
  const commands = new RedisCommands({ client, timeoutMs, code: 'revocation_unavailable' });
  const dataset = new RevocationDataset(commands, seals, prefix);
  const waiting = waitReplicas === 0 ? undefined : client.duplicate();
  waiting?.on('error', () => undefined); // as of the subscriber below
  const replicas =
    waiting === undefined
      ? undefined
      : new Replicas({ client: waiting, count: waitReplicas, key: dataset.replicasKey, timeoutMs });
  const parts = {
    client,
    clock,
    dataset,
    seals,
    timeoutMs,
    heartbeatMs,
    settleMs,
    maxEntries,
    beginsDataset,
    onWarning,
    replicas,
  };
  const store = new FollowedRevocations(parts);
  const subscriber = options.subscriber ?? client.duplicate();
  // Its faults are those of the client, which its owner listens to.
  subscriber.on('error', () => undefined);
  const stop = followLog({ subscriber, dataset, store, timeoutMs });
  void store.ready(LONG_MS).then(
    () => warnOfEviction(commands, onWarning),
    () => undefined, // closed before
  );
  return {
    isRevoked: (anchors) => store.isRevoked(anchors),
    freshAsOf: () => store.freshAsOf(),
    revoke: (anchor) => store.revoke(anchor),
    lift: (anchor) => store.lift(anchor),
    subscribe: (tell) => store.subscribe(tell),
    ready: (waitMs) => store.ready(waitMs),
    close: async () => {
      stop();
      subscriber.disconnect();
      waiting?.disconnect();
      await store.close();
    },
  };
}

function signingKeyOf({ signingKey }: RedisRevocationStoreOptions): Uint8Array {
  if (signingKey === undefined) return new Uint8Array();
  if (!(signingKey instanceof Uint8Array) || signingKey.length < MIN_KEY_BYTES) {
    throw new TypeError(`redisRevocationStore: signingKey is a Uint8Array of at least ${MIN_KEY_BYTES} bytes`);
  }
  return Uint8Array.from(signingKey);
}

// A server that makes room by forgetting keys would un-revoke, and make used mandates usable.
async function warnOfEviction(commands: RedisCommands, onWarning: OnWarning): Promise<void> {
  const memory = await commands.call('INFO', 'memory').catch(() => undefined); // not allowed to ask
  const policy = /^maxmemory_policy:(\S+)/m.exec(typeof memory === 'string' ? memory : '')?.[1];
  if (policy === undefined || policy === 'noeviction') return;
  onWarning(`Redis forgets keys when it is full (maxmemory-policy ${policy}); set it to noeviction`);
}
