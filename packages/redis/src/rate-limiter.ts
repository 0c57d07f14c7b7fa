import {
  CaracalError,
  type RateLimit,
  type RateLimiter,
  type RateLimitKey,
  type RateVerdict,
  refuseUnknownOptions,
} from '@caracal/core';
import { RedisCommands } from './commands/commands.js';
import { script } from './commands/script.js';
import { hashOf } from './keyspace.js';
import { type RedisStoreOptions, storeSettings } from './store-options.js';

/** Longest log of one window, in entries. */
const MAX_LOG_ENTRIES = 256;

// A log of admissions, oldest first, each entry "first:last:before:count": the times of its first and last request in ms, how many
// were admitted before it and how many it stands for. With `before`, the sum of all needs the two ends alone.
// KEYS: log. ARGV: requests, window in ms, grain in ms. Answers 0 where admitted, else ms until the next can be.
const CONSUME = script(`
local requests, window, grain = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local function entry(index)
  local text = redis.call('LINDEX', KEYS[1], index)
  if not text then return nil end
  local first, last, before, count = string.match(text, '^(%S+):(%S+):(%S+):(%S+)$')
  return { first = tonumber(first), last = tonumber(last), before = tonumber(before), count = tonumber(count) }
end
local newest = entry(-1)
-- A server whose clock was set back, or a replica that took over with a slower one: time stands still until it has caught up.
if newest and newest.last > now then now = newest.last end
local oldest = entry(0)
while oldest and oldest.last <= now - window do
  redis.call('LPOP', KEYS[1])
  oldest = entry(0)
end
local total = 0
if oldest then total = newest.before + newest.count - oldest.before end
if total >= requests then
  local index, left = 0, total
  while oldest do
    left = left - oldest.count
    if left < requests then return math.max(1, math.ceil(oldest.last + window - now)) end
    index = index + 1
    oldest = entry(index)
  end
  return window
end
local line = '%.3f:%.3f:%d:%d'
if oldest and now - newest.first <= grain then
  redis.call('LSET', KEYS[1], -1, string.format(line, newest.first, now, newest.before, newest.count + 1))
else
  local before = 0
  if oldest then before = newest.before + newest.count end
  redis.call('RPUSH', KEYS[1], string.format(line, now, now, before, 1))
end
redis.call('PEXPIRE', KEYS[1], window + 1000)
return 0
`);

const ALLOWED: RateVerdict = Object.freeze({ allowed: true });

/**
 * Rate limits shared by every process with this Redis and prefix, by the sliding window of `memoryRateLimiter`: in no window,
 * wherever it begins, are more than `requests` admitted; refused requests do not count. Time is the server's, so that the clocks
 * of gateways do not matter. One script, one key a limit, which is gone a window after its last request.
 *
 * Up to 256 requests a window each is logged by itself; above, those within 1/256 of the window share an entry.
 *
 * `consume` rejects with `CaracalError('rate_limit_unavailable')` where Redis is not there, not in time (`timeoutMs`) or full.
 *
 * @throws TypeError for options that are not in order.
 */
export function redisRateLimiter(options: RedisStoreOptions): RateLimiter {
  refuseUnknownOptions('redisRateLimiter', options, ['client', 'prefix', 'timeoutMs']);
  const settings = storeSettings('redisRateLimiter', options);
  const commands = new RedisCommands({ ...settings, code: 'rate_limit_unavailable' });
  return { consume: (key, limit) => consume(commands, settings.prefix, key, limit) };
}

async function consume(
  commands: RedisCommands,
  prefix: string,
  { zoneId, issuer, applicationId, resource }: RateLimitKey,
  { requests, windowSeconds }: RateLimit,
): Promise<RateVerdict> {
  const key = `${prefix}:rate:${hashOf([zoneId, issuer, applicationId, resource])}`;
  const windowMs = Math.ceil(windowSeconds * 1000);
  const grainMs = requests <= MAX_LOG_ENTRIES ? 0 : windowMs / MAX_LOG_ENTRIES;
  const waitMs = await commands.run(CONSUME, [key], [requests, windowMs, grainMs]);
  if (waitMs === 0) return ALLOWED;
  if (typeof waitMs !== 'number') throw new CaracalError('rate_limit_unavailable', 'invalid_verdict');
  return { allowed: false, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
}
