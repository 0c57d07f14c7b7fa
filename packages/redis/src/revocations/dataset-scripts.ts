import { script } from '../commands/script.js';

/**
 * Makes one commit, where the head is still the one it was made for.
 * KEYS: head, log, buckets. ARGV: head expected ('' for none), new head, sequence, changes, length of the log, number of buckets
 * to drop (the last ones of KEYS); then for each entry: place of its bucket in KEYS, field, value ('' removes it).
 * Answers 1, or 0 where the head is another.
 */
export const COMMIT = script(`
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
-- First what can fail, a full server aside: nothing that a script has written is taken back.
if ARGV[4] ~= '' then
  local function append()
    return redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], ARGV[3] .. '-1', 'changes', ARGV[4], 'head', ARGV[2])
  end
  local appended = append()
  -- Somebody has written to the log what does not belong there: who follows it reads the state again.
  if type(appended) == 'table' and appended.err then
    if string.find(appended.err, 'OOM', 1, true) then return appended end
    redis.call('DEL', KEYS[2])
    appended = append()
    if type(appended) == 'table' and appended.err then return appended end
  end
end
redis.call('SET', KEYS[1], ARGV[2])
for i = 7, #ARGV, 3 do
  local bucket = KEYS[tonumber(ARGV[i])]
  if ARGV[i + 2] == '' then
    redis.call('HDEL', bucket, ARGV[i + 1])
  else
    redis.call('HSET', bucket, ARGV[i + 1], ARGV[i + 2])
  end
end
for i = #KEYS - tonumber(ARGV[6]) + 1, #KEYS do redis.call('UNLINK', KEYS[i]) end
return 1
`);

/**
 * Reads the head, and writes: a replica refuses that, and so does a primary that was told to have replicas (min-replicas-to-write)
 * and has lost them.
 * KEYS: head, beat. ARGV: life of the beat in ms. Answers the server's time (s), the name of its history, which is another one
 * after a restart or a failover, and the head, if any.
 */
export const BEAT = script(`
redis.call('SET', KEYS[2], '1', 'PX', ARGV[1])
local replication = redis.pcall('INFO', 'replication')
local history = type(replication) == 'string' and string.match(replication, 'master_replid:(%w+)')
return { redis.call('TIME')[1], history or '', redis.call('GET', KEYS[1]) }
`);
