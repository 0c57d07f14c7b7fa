import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfiguration, startServer } from '@caracal/server';
import { createTestIssuer } from '@caracal/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { caracal } from './caracal.js';
import { BILLING, freePorts } from './world.js';

let directory: string;
let redis: RedisServer;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'caracal-redis-'));
  redis = await startRedis();
});

afterAll(async () => {
  await redis?.close();
  await rm(directory, { recursive: true });
});

describe('caracal revoke with a shared Redis and no gateway here', () => {
  it('writes where every gateway reads, not into the state directory', async () => {
    const issuer = await createTestIssuer({ issuer: 'https://issuer.example' });
    const [gateway] = await freePorts(1);
    const configuration = {
      gateway: { listen: gateway },
      issuers: [{ issuer: issuer.issuer, keys: issuer.jwks().keys }],
      resources: [{ identifier: BILLING, upstreamUrl: 'http://127.0.0.1:9', allowPrivateNetwork: true }],
      stores: { redis: { url: { env: 'REDIS_URL' } } },
    };
    await writeFile(join(directory, 'caracal.config.json'), JSON.stringify(configuration));
    const env = { REDIS_URL: `redis://127.0.0.1:${redis.port}` };
    const ran = await caracal(['revoke', '--session', 'a-session'], { cwd: directory, env });
    expect({ code: ran.code, err: ran.err }).toEqual({ code: 0, err: '' });
    expect(ran.out).toMatch(/, through the shared Redis\n$/);

    const server = await startServer(await loadConfiguration(undefined, { directory }), {
      environment: env,
      log: () => {},
    });
    try {
      const mandate = await issuer.mint({ sid: 'a-session', target: [BILLING] });
      const error = async () => {
        const { headers } = await fetch(`http://127.0.0.1:${gateway}/`, {
          headers: { 'X-Caracal-Resource': BILLING, Authorization: `Bearer ${mandate}` },
        });
        return headers.get('x-caracal-error');
      };
      // Until the state is known to be complete every request is refused with another code.
      await expect.poll(error, { timeout: 60_000 }).toBe('session_revoked');
    } finally {
      await server.close();
    }
  }, 120_000);

  it('says that nothing is certain where it is away', async () => {
    const [port] = await freePorts(1);
    const ran = await caracal(['revoke', '--session', 'a-session', '--json'], {
      cwd: directory,
      env: { REDIS_URL: `redis://127.0.0.1:${port}` },
    });
    expect({ code: ran.code, out: ran.out }).toEqual({ code: 1, out: '' });
    expect(ran.errors()[0].message).toContain('nothing is certain, run it again');
  }, 60_000);
});
