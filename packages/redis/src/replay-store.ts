import { randomBytes } from 'node:crypto';
import {
  CaracalError,
  CLOCK_SKEW_SECONDS,
  type Clock,
  MAX_LIFE_SECONDS,
  type MandateUse,
  type ReplayStore,
  type ReplayVerdict,
  refuseUnknownOptions,
  systemClock,
  wholeNumber,
} from '@caracal/core';
import { RedisCommands } from './commands/commands.js';
import { script } from './commands/script.js';
import { hashOf } from './keyspace.js';
import { type RedisStoreOptions, storeSettings } from './store-options.js';

/** Options of {@link redisReplayStore}. */
export interface RedisReplayStoreOptions extends RedisStoreOptions {
  readonly clock?: Clock;
  /** How far an issuer's clock may be ahead of ours when the memory begins, s. Default 60, which is what a verifier lets pass. */
  readonly clockSkewSeconds?: number;
}

/** Default of `clockSkewSeconds`. */
export const REDIS_REPLAY_CLOCK_SKEW_SECONDS = CLOCK_SKEW_SECONDS;

/** A mark outlives its mandate by so much, for clocks that differ a little. */
const MARGIN_SECONDS = 60;
/** Mandates that end later than this are none the verifier lets through. Bounds how long a mark is kept. */
const HORIZON_SECONDS = MAX_LIFE_SECONDS + 60 * 60;
/** Marks are spread over so many slots of a cluster; each has its own beginning, so that each is judged in one step. */
const PARTS = 16;

// KEYS: beginning, mark. ARGV: issued at, beginning if there is none, life of the mark in ms, this call's own name.
const USE = script(`
local begins = redis.call('GET', KEYS[1])
if not begins then
  begins = ARGV[2]
  redis.call('SET', KEYS[1], begins)
end
if tonumber(ARGV[1]) < tonumber(begins) then return 'before_store' end
if redis.call('SET', KEYS[2], ARGV[4], 'NX', 'PX', ARGV[3]) then return 'first' end
-- A driver that lost its connection may send a command again: the same call is still the first.
if redis.call('GET', KEYS[2]) == ARGV[4] then return 'first' end
return 'replayed'
`);

/**
 * First uses of single-use mandates, shared by every process with this Redis and prefix. A mark is one key, set where there is
 * none (`SET NX`) and gone 60 s after its mandate.
 *
 * The memory begins when a store first meets an empty dataset, so also after Redis has lost everything: mandates issued before,
 * and for `clockSkewSeconds` after, are `before_store`. What Redis loses of the last second when it is killed (`appendfsync
 * everysec`) or fails over leaves no trace: such a mandate can be used again. `appendfsync always` closes that gap.
 *
 * `use` rejects with `CaracalError('replay_unavailable')` where Redis is not there, not in time (`timeoutMs`) or full. After a
 * timeout the mandate may be spent although it was refused.
 *
 * @throws TypeError for options that are not in order.
 */
export function redisReplayStore(options: RedisReplayStoreOptions): ReplayStore {
  const known = ['client', 'prefix', 'timeoutMs', 'clock', 'clockSkewSeconds'];
  refuseUnknownOptions('redisReplayStore', options, known);
  const settings = storeSettings('redisReplayStore', options);
  const { clock = systemClock, clockSkewSeconds = REDIS_REPLAY_CLOCK_SKEW_SECONDS } = options;
  wholeNumber('redisReplayStore', 'clockSkewSeconds', clockSkewSeconds, 0);
  const commands = new RedisCommands({ ...settings, code: 'replay_unavailable' });
  const replays = new RedisReplays(commands, settings.prefix, clock, clockSkewSeconds);
  // A driver connects after this: what is begun with the first use would refuse all that was issued until then.
  settings.client.on('ready', () => replays.beginAnew());
  return replays;
}

class RedisReplays implements ReplayStore {
  readonly #commands: RedisCommands;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #clockSkewSeconds: number;
  /** Names calls, together with their number: two calls are never of one name, in whatever process. */
  readonly #name = randomBytes(12).toString('base64url');
  #calls = 0;
  #begun: Promise<boolean> | undefined;

  constructor(commands: RedisCommands, prefix: string, clock: Clock, clockSkewSeconds: number) {
    this.#commands = commands;
    this.#prefix = prefix;
    this.#clock = clock;
    this.#clockSkewSeconds = clockSkewSeconds;
    void this.#begin();
  }

  async use({ zoneId, issuer, jti, issuedAt, expiresAt }: MandateUse): Promise<ReplayVerdict> {
    // NaN is not known to be after anything.
    if (!(issuedAt > Number.NEGATIVE_INFINITY)) return 'before_store';
    const lifeMs = Math.ceil((expiresAt + MARGIN_SECONDS) * 1000 - this.#clock.now());
    if (!(lifeMs <= HORIZON_SECONDS * 1000)) throw new CaracalError('replay_unavailable', 'expiry_invalid');
    if (lifeMs <= 0) return 'before_store';
    // Not awaited: one connection keeps the order, and two deadlines would be twice as long as one.
    void this.#begin();
    const hash = hashOf([zoneId, issuer, jti]);
    const part = this.#part(hash.charCodeAt(0) % PARTS);
    const args = [issuedAt, this.#beginning(), lifeMs, `${this.#name}.${++this.#calls}`];
    const verdict = await this.#commands.run(USE, [`${part}begins`, part + hash], args);
    if (verdict === 'first' || verdict === 'replayed' || verdict === 'before_store') return verdict;
    throw new CaracalError('replay_unavailable', 'invalid_verdict');
  }

  /** There is a connection, perhaps to a server that has lost everything. */
  beginAnew(): void {
    this.#begun = undefined;
    void this.#begin();
  }

  // All parts at once: else the first use in each would find that the memory only begins with it.
  #begin(): Promise<boolean> {
    this.#begun ??= this.#beginParts().then((begun) => {
      if (!begun) this.#begun = undefined;
      return begun;
    });
    return this.#begun;
  }

  async #beginParts(): Promise<boolean> {
    const beginning = this.#beginning();
    const parts = Array.from({ length: PARTS }, (_, index) =>
      this.#commands.call('SET', `${this.#part(index)}begins`, beginning, 'NX'),
    );
    const results = await Promise.allSettled(parts);
    return results.every(({ status }) => status === 'fulfilled');
  }

  #beginning(): number {
    return Math.floor(this.#clock.now() / 1000) + this.#clockSkewSeconds;
  }

  #part(index: number): string {
    return `{${this.#prefix}:replay:${index}}:`;
  }
}
