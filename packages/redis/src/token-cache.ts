import {
  type CachedToken,
  CaracalError,
  type Clock,
  refuseUnknownOptions,
  systemClock,
  type TokenCache,
  type TokenKey,
} from '@caracal/core';
import { RedisCommands } from './commands/commands.js';
import { script } from './commands/script.js';
import { hashOf } from './keyspace.js';
import { type RedisStoreOptions, storeSettings } from './store-options.js';

/** Options of {@link redisTokenCache}. */
export interface RedisTokenCacheOptions extends RedisStoreOptions {
  readonly clock?: Clock;
}

// KEYS: claim. ARGV: owner, lease in ms.
const CLAIM = script(`
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`);

// KEYS: claim, token. ARGV: owner, token, life of the token in ms.
const FINISH = script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if tonumber(ARGV[3]) > 0 then
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
else
  redis.call('DEL', KEYS[2])
end
return 1
`);

// KEYS: claim. ARGV: owner.
const ABANDON = script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`);

/**
 * Tokens and the claims on their refresh, shared by every process with this Redis and prefix. A claim ends by the server's clock,
 * a token by the earlier of the server's and ours.
 *
 * Redis sees what the provider gives as `value`: a provider seals its tokens before. Rejects with
 * `CaracalError('credential_unavailable')` where Redis is not there, not in time or full.
 *
 * @throws TypeError for options that are not in order, and for a lease that is no number of ms above 0.
 */
export function redisTokenCache(options: RedisTokenCacheOptions): TokenCache {
  refuseUnknownOptions('redisTokenCache', options, ['client', 'prefix', 'timeoutMs', 'clock']);
  const settings = storeSettings('redisTokenCache', options);
  const commands = new RedisCommands({ ...settings, code: 'credential_unavailable' });
  return new RedisTokens(commands, settings.prefix, options.clock ?? systemClock);
}

class RedisTokens implements TokenCache {
  readonly #commands: RedisCommands;
  readonly #prefix: string;
  readonly #clock: Clock;

  constructor(commands: RedisCommands, prefix: string, clock: Clock) {
    this.#commands = commands;
    this.#prefix = prefix;
    this.#clock = clock;
  }

  async get(key: TokenKey): Promise<CachedToken | undefined> {
    const text = await this.#commands.call('GET', this.#keys(key).token);
    if (text === null) return undefined;
    const token = parseToken(text);
    return token.expiresAtMs > this.#clock.now() ? token : undefined;
  }

  async claimRefresh(key: TokenKey, owner: string, leaseMs: number): Promise<boolean> {
    if (!(leaseMs > 0 && leaseMs < Number.POSITIVE_INFINITY)) {
      throw new TypeError('claimRefresh: leaseMs is a number of ms above 0');
    }
    return (await this.#commands.run(CLAIM, [this.#keys(key).claim], [owner, Math.ceil(leaseMs)])) === 1;
  }

  async finishRefresh(key: TokenKey, owner: string, token: CachedToken): Promise<boolean> {
    const { claim, token: kept } = this.#keys(key);
    const { value, expiresAtMs, obtainedAtMs, afterRefusal } = token;
    const lifeMs = Math.ceil(expiresAtMs - this.#clock.now());
    // Redis takes no more than a signed 64-bit number of ms, and a token that lives for ever needs no end there.
    const args = [
      owner,
      JSON.stringify({ value, expiresAtMs, obtainedAtMs, afterRefusal }),
      Math.min(lifeMs, MAX_LIFE_MS),
    ];
    return (await this.#commands.run(FINISH, [claim, kept], args)) === 1;
  }

  async abandonRefresh(key: TokenKey, owner: string): Promise<void> {
    await this.#commands.run(ABANDON, [this.#keys(key).claim], [owner]);
  }

  async forget(key: TokenKey): Promise<void> {
    await this.#commands.call('DEL', this.#keys(key).token);
  }

  // One hash tag, so that a claim and its token are in one slot; the number of qualifiers needs no place of its own, as each part
  // says where it ends.
  #keys({ zoneId, providerId, qualifiers }: TokenKey): { readonly claim: string; readonly token: string } {
    const tag = `{${this.#prefix}:token:${hashOf([zoneId, providerId, ...qualifiers])}}`;
    return { claim: `${tag}:claim`, token: `${tag}:value` };
  }
}

const MAX_LIFE_MS = 400 * 24 * 60 * 60 * 1000;

function parseToken(text: unknown): CachedToken {
  try {
    const token = JSON.parse(text as string) as CachedToken;
    const { value, expiresAtMs, obtainedAtMs, afterRefusal } = token;
    if (typeof value === 'string' && typeof expiresAtMs === 'number' && typeof obtainedAtMs === 'number') {
      return Object.freeze({ value, expiresAtMs, obtainedAtMs, afterRefusal: afterRefusal === true });
    }
  } catch {
    // What cannot be read is told below; the parser's message would show the text.
  }
  throw new CaracalError('credential_unavailable', 'token_unreadable');
}
