// How long after a revocation was acknowledged anything still passes: two gateway processes over one Redis, under load, with a
// third process that revokes. `node test/bench/revocation.mjs [--count N]` after `pnpm build`.
//
// For each session both gateways are called in a loop and hold an event stream open. Measured from the moment `revoke` has
// resolved: the last request that reached the upstream, and the last byte of a stream that reached the caller; 0 where it was before.
// Callers pause between calls (`--pause-ms`, 0: none): where the load takes every core, its own queues are measured and nothing else.
import { fork } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RECOMMENDED_REDIS_OPTIONS, redisRevocationStore } from '@caracal/redis';
import { createTestIssuer } from '@caracal/testkit';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';
import { benchRedis } from './redis-server.mjs';
import { machine } from './report.mjs';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '1000' }, 'pause-ms': { type: 'string', default: '10' } },
});
const COUNT = Number(values.count);
const PAUSE_MS = Number(values['pause-ms']);
const AT_ONCE = 4;
const LANES_A_GATEWAY = 2;
const BACKGROUND_LANES = 4;
const EVENT_MS = 5;

const issuer = await createTestIssuer();
const redis = await benchRedis();
const signingKey = randomBytes(32);
const prefix = `bench-${randomUUID().slice(0, 8)}`;
const arrivals = new Map();
const upstream = createServer(answer);
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');

const client = new Redis(redis.url, RECOMMENDED_REDIS_OPTIONS);
const store = redisRevocationStore({ client, prefix, signingKey, settleMs: 0, onWarning: () => {} });
await store.ready();
const gateways = await Promise.all([startGateway(), startGateway()]);
const agent = new Agent({ connections: 256 });
const answers = { allowed: 0, refused: 0 };
let stopped = false;

const good = await mandateOf('background');
const background = gateways.flatMap(({ url }) =>
  Array.from({ length: BACKGROUND_LANES }, async () => {
    while (!stopped) await call(url, good, '/background');
  }),
);
const lastRequests = [];
const lastBytes = [];
let next = 0;
const startedAt = performance.now();
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (next < COUNT) await measure(`session-${next++}`);
  }),
);
const seconds = (performance.now() - startedAt) / 1000;
stopped = true;
await Promise.all(background);

const rate = ((answers.allowed + answers.refused) / seconds).toFixed(0);
console.log(machine());
console.log(`${COUNT} revocations, ${rate} requests/s meanwhile, of which ${answers.allowed} were allowed`);
console.log('');
console.log('| from the acknowledgement to | p50 ms | p99 ms | max ms |\n|---|---:|---:|---:|');
console.log(row('the last request allowed anywhere', lastRequests));
console.log(row('the last byte of an open event stream', lastBytes));

for (const { child } of gateways) child.kill();
await store.close();
client.disconnect();
await agent.destroy();
upstream.closeAllConnections();
upstream.close();
await redis.stop();

async function measure(session) {
  const mandate = await mandateOf(session);
  const seen = { request: Number.NEGATIVE_INFINITY };
  arrivals.set(session, seen);
  let lastByte = Number.NEGATIVE_INFINITY;
  const streams = await Promise.all(gateways.map(({ url }) => open(url, mandate)));
  const ends = streams.map(async (body) => {
    try {
      for await (const _ of body) lastByte = Math.max(lastByte, performance.now());
    } catch {
      // Cut, as it must be.
    }
  });
  const lanes = gateways.flatMap(({ url }) =>
    Array.from({ length: LANES_A_GATEWAY }, async () => {
      while ((await call(url, mandate, `/request/${session}`)) === 200);
    }),
  );
  await setTimeout(20 + Math.random() * 20);
  await store.revoke({ zoneId: 'default', issuer: issuer.issuer, kind: 'sid', id: session });
  const acknowledged = performance.now();
  await Promise.all([...lanes, ...ends]);
  lastRequests.push(Math.max(0, seen.request - acknowledged));
  lastBytes.push(Math.max(0, lastByte - acknowledged));
  arrivals.delete(session);
}

function answer({ url }, res) {
  const [, kind, session] = url.split('/');
  if (kind === 'stream') {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    const timer = setInterval(() => res.write('data: tick\n\n'), EVENT_MS);
    res.on('close', () => clearInterval(timer));
    return;
  }
  const seen = arrivals.get(session);
  if (seen !== undefined) seen.request = performance.now();
  res.end('ok');
}

function headersOf(mandate) {
  return { Authorization: `Bearer ${mandate}`, 'X-Caracal-Resource': 'resource://bench' };
}

async function call(url, mandate, path) {
  const { statusCode, body } = await request(url + path, { dispatcher: agent, headers: headersOf(mandate) });
  await body.dump();
  if (statusCode === 200) answers.allowed++;
  else answers.refused++;
  if (PAUSE_MS > 0) await setTimeout(PAUSE_MS);
  return statusCode;
}

async function open(url, mandate) {
  const { statusCode, body } = await request(`${url}/stream`, { dispatcher: agent, headers: headersOf(mandate) });
  if (statusCode !== 200) throw new Error(`a stream was answered with ${statusCode}`);
  return body;
}

function mandateOf(session) {
  return issuer.mint({ sid: session, root_sid: session, target: ['resource://bench'] });
}

async function startGateway() {
  const config = {
    issuer: issuer.issuer,
    keys: issuer.jwks().keys,
    upstreamUrl: `http://127.0.0.1:${upstream.address().port}`,
    redisUrl: redis.url,
    signingKey: signingKey.toString('base64'),
    prefix,
  };
  const program = fileURLToPath(new URL('./revocation-gateway.mjs', import.meta.url));
  const child = fork(program, [JSON.stringify(config)]);
  const [{ port }] = await once(child, 'message');
  return { child, url: `http://127.0.0.1:${port}` };
}

function row(name, values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))].toFixed(1);
  return `| ${name} | ${at(0.5)} | ${at(0.99)} | ${sorted.at(-1).toFixed(1)} |`;
}
