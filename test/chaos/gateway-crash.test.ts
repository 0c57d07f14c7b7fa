import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openJournal } from '@caracal/file';
import { createTestIssuer } from '@caracal/testkit';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headerValues, type StandIn, startStandIn } from '../e2e/stand-in.js';

/** `pnpm soak` asks for more. */
const KILLS = Number(process.env.CARACAL_GATEWAY_KILLS ?? 4);
const RUN_TYPESCRIPT = fileURLToPath(new URL('./run-typescript.mjs', import.meta.url));
const CHILD = fileURLToPath(new URL('./gateway-child.ts', import.meta.url));
const LANES = 16;
const MOST_MS_TO_KILL = 400;

describe('a gateway that is killed under load, with evidence as `written`', () => {
  let root = '';
  let upstream: StandIn;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'caracal-gateway-crash-'));
    upstream = await startStandIn((_req, res) => res.end('ok'));
  });
  afterAll(async () => {
    await upstream.close();
    await rm(root, { recursive: true, force: true });
  });

  async function start(
    directory: string,
    issuer: object,
  ): Promise<{ child: ChildProcess; port: number; publicKey: string }> {
    const config = JSON.stringify({ issuer, upstreamUrl: upstream.url });
    const child = spawn(process.execPath, [RUN_TYPESCRIPT, CHILD, directory, config], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
    return { child, ...JSON.parse(line) };
  }

  /** Keeps its lanes busy until the gateway is gone. */
  async function load(port: number, mandate: string): Promise<void> {
    const agent = new Agent({ connections: LANES });
    const headers = { Authorization: `Bearer ${mandate}`, 'X-Caracal-Resource': 'resource://chaos' };
    const lane = async (): Promise<void> => {
      for (;;) {
        const { body, statusCode } = await request(`http://127.0.0.1:${port}/work`, { dispatcher: agent, headers });
        await body.dump();
        expect(statusCode).toBe(200);
      }
    };
    await Promise.allSettled(Array.from({ length: LANES }, lane));
    await agent.destroy();
  }

  it(
    'has a record of every request that the upstream saw, and the journal verifies',
    async () => {
      const issuer = await createTestIssuer();
      const mandate = await issuer.mint({ target: ['resource://chaos'] });
      const directory = join(root, 'audit');
      let publicKey = '';
      for (let kill = 0; kill < KILLS; kill++) {
        const running = await start(directory, { issuer: issuer.issuer, keys: issuer.jwks().keys });
        publicKey = running.publicKey;
        const loaded = load(running.port, mandate);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * MOST_MS_TO_KILL));
        running.child.kill('SIGKILL');
        await once(running.child, 'exit');
        await loaded;
      }

      const journal = await openJournal({ directory, onWarning: () => {} });
      const recorded = new Set<string>();
      for await (const { record } of journal.query()) {
        if (record.type === 'request.authorized') recorded.add(record.requestId!);
      }
      const report = await journal.verify({ publicKey });
      await journal.close();
      const seen = upstream.seen.map((arrived) => headerValues(arrived, 'x-request-id')[0]!);
      expect(seen.length).toBeGreaterThan(KILLS);
      expect(seen.filter((requestId) => !recorded.has(requestId))).toEqual([]);
      expect(report.failure).toBeUndefined();
      const torn = report.recoveries.flatMap((recovery) => recovery.torn);
      expect(torn.length).toBeLessThanOrEqual(KILLS);
      if (process.env.CARACAL_GATEWAY_KILLS !== undefined) {
        console.log(
          `${KILLS} kills: the upstream saw ${seen.length} requests, every one recorded; ${torn.length} torn`,
        );
      }
    },
    KILLS * 10_000,
  );
});
