import type { Redis } from 'ioredis';

// What a server holds after `ARGV[2]` ms: lives are shorter, and the logs of rate limits lie further back. Real time passes too and
// must not count: a key's life is read once, up to the next second, kept apart (in KEYS[1]), and the key itself made to last.
const TRAVEL = `
local ms, LASTING = tonumber(ARGV[2]), 10 ^ 12
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  local left = redis.call('PTTL', key)
  if left >= 0 then
    if left < LASTING / 2 then left = math.ceil(left / 1000) * 1000
    else left = tonumber(redis.call('HGET', KEYS[1], key)) end
    if left <= ms then
      redis.call('DEL', key)
    else
      redis.call('HSET', KEYS[1], key, left - ms)
      redis.call('PEXPIRE', key, LASTING)
    end
  end
  if redis.call('TYPE', key).ok == 'list' then
    for i = 0, redis.call('LLEN', key) - 1 do
      local first, last, rest = string.match(redis.call('LINDEX', key, i), '^(%S+):(%S+)(:%S+:%S+)$')
      redis.call('LSET', key, i, string.format('%.3f:%.3f', first - ms, last - ms) .. rest)
    end
  end
end`;

/** Makes time pass on a server, for the keys with this prefix: its clock itself cannot be moved. */
export async function travel(client: Redis, prefix: string, ms: number): Promise<void> {
  await client.eval(TRAVEL, 1, `${prefix}:lives`, `*${prefix}:*`, ms);
}
