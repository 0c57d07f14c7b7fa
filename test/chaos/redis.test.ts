import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Anchor } from '@caracal/core';
import { RECOMMENDED_REDIS_OPTIONS, type RedisRevocationStore, redisRevocationStore } from '@caracal/redis';
import { createTestIssuer, eventually, type TestIssuer } from '@caracal/testkit';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type StandIn, startStandIn } from '../e2e/stand-in.js';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { layWire, type Wire } from '../servers/wire.js';

/** How long each outage lasts. `pnpm soak` asks for a minute. */
const OUTAGE_MS = Number(process.env.CARACAL_REDIS_OUTAGE_MS ?? 2_000);
const MAX_STALENESS_MS = 1_000;
const TIMEOUT_MS = 250;
const LANES = 4;
/** Longest time an answer may take, on a machine that is much slower than ours. */
const HANGS_AFTER_MS = 15_000;
const RUN_TYPESCRIPT = fileURLToPath(new URL('./run-typescript.mjs', import.meta.url));
const CHILD = fileURLToPath(new URL('./redis-gateway-child.ts', import.meta.url));

interface Answer {
  readonly what: 'good' | 'revoked';
  readonly startedAt: number;
  readonly status: number;
  readonly error: string | undefined;
}

let issuer: TestIssuer;
let upstream: StandIn;
let server: RedisServer;
let wire: Wire;
let operator: RedisRevocationStore;
const gateways: { readonly child: ChildProcess; readonly url: string }[] = [];
const agent = new Agent({ connections: 64, headersTimeout: HANGS_AFTER_MS, bodyTimeout: HANGS_AFTER_MS });
const signingKey = randomBytes(32);

beforeAll(async () => {
  issuer = await createTestIssuer();
  upstream = await startStandIn((_req, res) => res.end('ok'));
  server = await startRedis({ arguments: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  wire = await layWire(server.port);
  operator = redisRevocationStore({
    client: await server.connect(RECOMMENDED_REDIS_OPTIONS),
    signingKey,
    settleMs: 0,
    heartbeatMs: 50,
    onWarning: () => undefined,
  });
  await operator.ready();
  const config = JSON.stringify({
    issuer: { issuer: issuer.issuer, keys: issuer.jwks().keys },
    upstreamUrl: upstream.url,
    redisPort: wire.port,
    timeoutMs: TIMEOUT_MS,
    heartbeatMs: 100,
    settleMs: 5_000,
    maxStalenessMs: MAX_STALENESS_MS,
    signingKey: signingKey.toString('base64'),
  });
  await Promise.all([startGateway(config), startGateway(config)]);
}, 120_000);

afterAll(async () => {
  for (const { child } of gateways) child.kill('SIGKILL');
  await operator.close();
  await agent.destroy();
  await wire.close();
  await server.close();
  await upstream.close();
});

async function startGateway(config: string): Promise<void> {
  const child = spawn(process.execPath, [RUN_TYPESCRIPT, CHILD, config], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  gateways.push({ child, url: `http://127.0.0.1:${JSON.parse(line).port}` });
}

async function send(url: string, mandate: string, resource = 'resource://chaos') {
  const headers = { Authorization: `Bearer ${mandate}`, 'X-Caracal-Resource': resource };
  const { statusCode, headers: answered, body } = await request(`${url}/work`, { dispatcher: agent, headers });
  await body.dump();
  return { status: statusCode, error: answered['x-caracal-error'] as string | undefined };
}

/** Load on both gateways, by a good and a revoked mandate, until it is stopped. */
function startLoad(good: string, revoked: string) {
  const answers: Answer[] = [];
  let stopped = false;
  const lane = async (url: string, index: number): Promise<void> => {
    while (!stopped) {
      const what = index % 2 === 0 ? 'good' : 'revoked';
      const startedAt = performance.now();
      answers.push({ what, startedAt, ...(await send(url, what === 'good' ? good : revoked)) });
      await setTimeout(5);
    }
  };
  const lanes = gateways.flatMap(({ url }) => Array.from({ length: LANES }, (_, index) => lane(url, index)));
  const running = Promise.all(lanes);
  return {
    answers,
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}

function sessionOf(id: string): Anchor {
  return { zoneId: 'default', issuer: issuer.issuer, kind: 'sid', id };
}

async function mandateOf(sessionId: string): Promise<string> {
  return issuer.mint({ sid: sessionId, root_sid: sessionId, target: ['resource://chaos', 'resource://once'] });
}

/** Revokes, as often as it takes: its own connection may still be finding back from the outage before. */
async function revoke(sessionId: string): Promise<void> {
  const once = () => operator.revoke(sessionOf(sessionId));
  await eventually('it is acknowledged', () =>
    once().then(
      () => true,
      () => false,
    ),
  );
}

/** A single-use mandate that was let through. One that was answered with 503 may be spent as well. */
async function spentMandate(): Promise<string> {
  let mandate = '';
  await eventually('a mandate is spent', async () => {
    mandate = await mandateOf(randomUUID());
    return (await send(gateways[0]!.url, mandate, 'resource://once')).status === 200;
  });
  return mandate;
}

/** Both gateways let a good mandate through. */
async function allOpen(mandate: string): Promise<void> {
  for (const { url } of gateways) await eventually('it is open', async () => (await send(url, mandate)).status === 200);
}

const OUTAGES = [
  { name: 'is killed and started again', begin: () => server.kill(), end: () => server.restart() },
  { name: 'is paused', begin: async () => server.signal('SIGSTOP'), end: async () => server.signal('SIGCONT') },
  { name: 'is cut off', begin: async () => wire.cut(), end: async () => wire.mend() },
  {
    name: 'is killed and comes back empty',
    begin: async () => {
      // Perhaps before a gateway has heard of the last revocation: then the operator alone can write it back. Removed from the file it is restored from as well.
      await (await server.connect()).flushall();
      await server.kill();
    },
    end: () => server.restart(),
  },
];

describe.each(OUTAGES)('two gateways under load while Redis $name', ({ begin, end, name }) => {
  it('accept nothing revoked, hang on nothing, answer 503 and never 401, and recover', {
    timeout: 90_000 + 3 * OUTAGE_MS,
  }, async () => {
    const good = await mandateOf(`good-${name}`);
    const bad = await mandateOf(`bad-${name}`);
    await allOpen(good);
    const used = await spentMandate();
    const load = startLoad(good, bad);
    onTestFinished(load.stop);
    await eventually('requests pass', () => load.answers.filter(({ status }) => status === 200).length > 20);
    await revoke(`bad-${name}`);
    const revokedAt = performance.now();

    await begin();
    const began = performance.now();
    // Where only the gateways are cut off, one more revocation is acknowledged that they cannot hear of.
    const during = await mandateOf(`during-${name}`);
    const isCutOff = name === 'is cut off';
    if (isCutOff) await revoke(`during-${name}`);
    const acknowledgedAt = performance.now();
    await eventually('requests are refused', () =>
      load.answers.some(({ what, status }) => what === 'good' && status === 503),
    );
    await setTimeout(Math.max(0, began + OUTAGE_MS - performance.now()));
    for (const { url } of gateways) {
      if (!isCutOff) continue;
      await setTimeout(Math.max(0, acknowledgedAt + MAX_STALENESS_MS - performance.now()));
      expect(await send(url, during)).toEqual({ status: 503, error: 'revocation_unavailable' });
    }
    await end();
    await allOpen(good);
    const recovered = performance.now();
    await eventually('requests pass again', () =>
      load.answers.some(({ startedAt, status }) => startedAt > recovered && status === 200),
    );
    await load.stop();

    const ofGood = load.answers.filter(({ what }) => what === 'good');
    expect([...new Set(ofGood.map(({ status, error }) => `${status} ${error}`))].sort()).toEqual([
      '200 undefined',
      '503 revocation_unavailable',
    ]);
    const late = load.answers.filter(
      ({ what, startedAt }) => what === 'revoked' && startedAt > revokedAt + MAX_STALENESS_MS,
    );
    expect(late.length).toBeGreaterThan(0);
    expect(late.filter(({ status }) => status === 200)).toEqual([]);
    for (const { url } of gateways) {
      expect(await send(url, bad)).toEqual({ status: 401, error: 'session_revoked' });
      expect((await send(url, used, 'resource://once')).error).toBe('token_replayed');
      if (isCutOff) expect(await send(url, during)).toEqual({ status: 401, error: 'session_revoked' });
    }
  });
});
