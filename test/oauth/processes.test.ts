import type { IncomingMessage } from 'node:http';
import { generateSealingKey, memoryConnectionStore, memoryTokenCache } from '@caracal/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../servers/redis.js';
import {
  type AuthorizationServer,
  CLIENT_SECRET,
  MACHINE_CLIENT,
  startAuthorizationServer,
} from './authorization-server.js';
import { type GatewayProcess, startGatewayProcess } from './served-stores.js';

const PATIENCE = { timeout: 60_000, interval: 200 };
const TOKEN = /^[\w-]{20,}$/;

let server: AuthorizationServer;
let redis: RedisServer;
let redisUrl: string;
let config: Readonly<Record<string, unknown>>;
const stores = { tokenCache: memoryTokenCache(), connections: memoryConnectionStore() };
const processes: GatewayProcess[] = [];

beforeAll(async () => {
  server = await startAuthorizationServer({
    clients: () => [MACHINE_CLIENT],
  });
  redis = await startRedis();
  redisUrl = `redis://127.0.0.1:${redis.port}`;
});

beforeEach(() => {
  config = {
    issuer: server.issuer,
    clientId: 'machine',
    clientSecret: CLIENT_SECRET,
    sealingKey: generateSealingKey().reveal(),
  };
});

afterEach(async () => {
  server.before = undefined;
  server.tokenRequests.length = 0;
  for (const each of processes) each.kill();
  await Promise.all(processes.splice(0).map(({ ended }) => ended));
  const client = await redis.connect();
  for (const key of await client.keys('{caracal:token:*')) await client.del(key);
});

afterAll(async () => {
  await redis.close();
  await server.close();
});

async function start(count: number, more: object = {}): Promise<GatewayProcess[]> {
  const started = Array.from({ length: count }, () => startGatewayProcess({ ...config, ...more }, stores));
  processes.push(...(await Promise.all(started)));
  return processes.slice(-count);
}

describe('two gateways in processes of their own', () => {
  it('make one token request for 200 calls on a cold cache they share', async () => {
    const both = await start(2);
    const tokens = (await Promise.all(both.map((each) => each.ask(100)))).flat();
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).toMatch(TOKEN);
    expect(server.tokenRequests).toHaveLength(1);
  });

  it('make at most two for 200 calls on a cold Redis, which sees no token', async () => {
    const both = await start(2, { redisUrl });
    const tokens = (await Promise.all(both.map((each) => each.ask(100)))).flat();
    expect(tokens).toHaveLength(200);
    for (const token of tokens) expect(token).toMatch(TOKEN);
    expect(server.tokenRequests.length).toBeLessThanOrEqual(2);
    const client = await redis.connect();
    const kept = await Promise.all((await client.keys('{caracal:token:*}:value')).map((key) => client.get(key)));
    expect(kept).toHaveLength(1);
    for (const token of new Set(tokens)) expect(JSON.stringify(kept)).not.toContain(token);
    // Warm: another process begins with what these have left.
    const [late] = await start(1, { redisUrl });
    const before = server.tokenRequests.length;
    expect(tokens).toContain((await late!.ask(1))[0]);
    expect(server.tokenRequests).toHaveLength(before);
  });

  it('get a token once the claim of one that was killed while it asked has ended, by one request', async () => {
    let asked = 0;
    let holds = true;
    server.before = async ({ method }: IncomingMessage) => {
      if (method !== 'POST') return;
      asked++;
      if (holds) await new Promise(() => {});
    };
    const more = { redisUrl, timeoutMs: 1_500 };
    const [first, ...others] = await start(3, more);
    const lost = first!.ask(10).catch((cause: Error) => cause.message);
    await expect.poll(() => asked, PATIENCE).toBe(1);
    first!.kill();
    expect(await lost).toContain('has ended');
    holds = false;
    // Nobody asks while the claim lives; whoever cannot wait for its end is refused, and not as if it were the caller's fault.
    await expect
      .poll(async () => {
        const answers = new Set((await Promise.all(others.map((each) => each.ask(50)))).flat());
        for (const answer of answers) {
          if (!TOKEN.test(answer)) expect(answer).toBe('credential_unavailable token_refreshed_elsewhere');
        }
        return [...answers].every((answer) => TOKEN.test(answer));
      }, PATIENCE)
      .toBe(true);
    expect(asked).toBeLessThanOrEqual(3);
    const tokens = new Set((await Promise.all(others.map((each) => each.ask(50)))).flat());
    expect(tokens.size).toBe(1);
  }, 120_000);
});
