import type { Plan } from '@caracal/core';
import { type CancelWait, ConnectionPool, type Waiter } from './connection-pool.js';
import { dialTarget } from './guarded-dial.js';
import type { ResolvedTransportOptions } from './options.js';
import { tlsIdentity } from './tls-identity.js';

/**
 * Pools by (origin, address policy, TLS options). All three are in the key because a connection carries the permission
 * it was made under: a pool shared between unequal policies would lend a private address to who may not dial it.
 */
export class Pools {
  readonly #options: ResolvedTransportOptions;
  readonly #identityOf = tlsIdentity();
  readonly #byKey = new Map<string, ConnectionPool>();
  /** Retired for a newer pool, with connections still in use. */
  readonly #retired = new Set<ConnectionPool>();
  #uses = 0;
  #closed = false;

  constructor(options: ResolvedTransportOptions) {
    this.#options = options;
  }

  /** Finds the waiter a connection for this plan, see {@link ConnectionPool.acquire}. */
  acquire(plan: Plan, waiter: Waiter): CancelWait | undefined {
    if (this.#closed) {
      waiter.onNoConnection({ kind: 'unreachable', cause: new Error('the transport is closed') });
      return undefined;
    }
    let pool: ConnectionPool;
    try {
      pool = this.#poolOf(plan);
    } catch (cause) {
      waiter.onNoConnection({ kind: 'unreachable', cause });
      return undefined;
    }
    pool.lastUse = ++this.#uses;
    return pool.acquire(waiter, plan.limits.connectTimeoutMs);
  }

  /** Closes every pool. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(Array.from([...this.#byKey.values(), ...this.#retired], (pool) => pool.close()));
  }

  #poolOf(plan: Plan): ConnectionPool {
    // Neither an origin nor an identity holds a space, so that no two triples make one key.
    const key = `${plan.origin} ${this.#identityOf(plan.tls)} ${plan.addressPolicy.key}`;
    return this.#byKey.get(key) ?? this.#create(key, plan);
  }

  #create(key: string, plan: Plan): ConnectionPool {
    const target = dialTarget(plan.origin, plan.addressPolicy, plan.tls, this.#options.lookup);
    const pool = new ConnectionPool(plan.origin, target, this.#options, (empty) => {
      this.#retired.delete(empty);
      if (this.#byKey.get(key) === empty) this.#byKey.delete(key);
    });
    if (this.#byKey.size >= this.#options.maxPools) this.#retireOne();
    this.#byKey.set(key, pool);
    return pool;
  }

  // Searching all of them is fine: it happens only when a new pool finds no room.
  #retireOne(): void {
    let oldest: [string, ConnectionPool] | undefined;
    for (const entry of this.#byKey) {
      if (oldest === undefined || entry[1].lastUse < oldest[1].lastUse) oldest = entry;
    }
    if (oldest === undefined) return;
    const [key, pool] = oldest;
    this.#byKey.delete(key);
    if (!pool.empty) this.#retired.add(pool);
    pool.retire();
  }
}
