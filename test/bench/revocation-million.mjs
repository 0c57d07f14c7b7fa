// A million live revocations: what they cost a process and Redis, how long one that starts reads them, how long a look-up takes.
// `node test/bench/revocation-million.mjs [--count N]` after `pnpm build`.
import { fork } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RECOMMENDED_REDIS_OPTIONS, redisRevocationStore } from '@caracal/redis';
import { Redis } from 'ioredis';
import { benchRedis } from './redis-server.mjs';
import { machine } from './report.mjs';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '1000000' }, child: { type: 'string' } },
});
const KINDS = ['sid', 'root_sid', 'agent_session_id', 'delegation_edge_id', 'jti', 'client_id', 'sub'];
const ANCHOR = { zoneId: 'default', issuer: 'https://issuer.example' };
const MIB = 1024 * 1024;

if (values.child === undefined) await fill(Number(values.count));
else await readAll(JSON.parse(values.child));

async function fill(count) {
  const redis = await benchRedis();
  const config = {
    url: redis.url,
    key: randomBytes(32).toString('base64'),
    prefix: `bench-${randomUUID().slice(0, 8)}`,
  };
  const { store, client } = open(config);
  await store.ready();
  const startedAt = performance.now();
  for (let done = 0; done < count; done += 5_000) {
    const batch = Array.from({ length: Math.min(5_000, count - done) }, () =>
      store.revoke({ ...ANCHOR, kind: 'sid', id: randomUUID() }),
    );
    await Promise.all(batch);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))[1]);
  console.log(machine());
  console.log(`revoked ${count} in ${seconds.toFixed(1)} s; Redis uses ${(used / MIB).toFixed(0)} MiB`);
  const child = fork(fileURLToPath(import.meta.url), ['--child', JSON.stringify(config)], {
    execArgv: ['--expose-gc'],
  });
  await once(child, 'exit');
  await store.close();
  client.disconnect();
  await redis.stop();
}

async function readAll(config) {
  global.gc();
  const before = process.memoryUsage();
  const startedAt = performance.now();
  const { store, client } = open(config);
  let longestPause = 0;
  let tick = performance.now();
  const watching = setInterval(() => {
    longestPause = Math.max(longestPause, performance.now() - tick - 5);
    tick = performance.now();
  }, 5);
  await store.ready(120_000);
  const seconds = (performance.now() - startedAt) / 1000;
  clearInterval(watching);
  const highest = process.memoryUsage().rss;
  global.gc();
  const after = process.memoryUsage();
  console.log(
    `read in ${seconds.toFixed(1)} s, longest pause ${longestPause.toFixed(0)} ms; heap grew by ` +
      `${((after.heapUsed - before.heapUsed) / MIB).toFixed(0)} MiB, resident memory by ` +
      `${((after.rss - before.rss) / MIB).toFixed(0)} MiB (highest ${((highest - before.rss) / MIB).toFixed(0)})`,
  );
  const mandates = Array.from({ length: 20_000 }, () => KINDS.map((kind) => ({ ...ANCHOR, kind, id: randomUUID() })));
  for (let round = 0; round < 5; round++) {
    const from = performance.now();
    let revoked = 0;
    for (const anchors of mandates) if (store.isRevoked(anchors)) revoked++;
    const nanos = ((performance.now() - from) * 1e6) / (mandates.length * KINDS.length);
    console.log(`look-up, round ${round + 1}: ${nanos.toFixed(0)} ns an anchor (${revoked} revoked)`);
  }
  await store.close();
  client.disconnect();
}

function open({ url, key, prefix }) {
  const client = new Redis(url, RECOMMENDED_REDIS_OPTIONS);
  const signingKey = Buffer.from(key, 'base64');
  return { client, store: redisRevocationStore({ client, prefix, signingKey, settleMs: 0, onWarning: () => {} }) };
}
