import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { openJournalReader } from '@caracal/file';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Primary, startPrimary } from './primary.js';
import { ADMIN_TOKEN, BILLING, mandateFrom, type ServerWorld, serverWorld } from './server.js';

const ONCE = 'resource://once-api';
const FEW = 'resource://few-api';
const MAX_STALENESS_MS = 2_000;
const PATIENT = { timeout: 60_000 };

let world: ServerWorld;
let server: Primary;
let primary: ChildProcess;
let url: Primary['url'];

beforeAll(async () => {
  world = await serverWorld((usual) => ({
    ...usual,
    gateway: { ...usual.gateway, drainTimeoutMs: 3_000, maxStalenessMs: MAX_STALENESS_MS },
    tokenService: {
      ...usual.tokenService!,
      applications: [
        {
          ...usual.tokenService!.applications![0]!,
          grants: [BILLING, ONCE, FEW].map((resource) => ({ resource, scopes: ['billing:read'] })),
        },
      ],
    },
    resources: [
      usual.resources![0]!,
      { ...usual.resources![0]!, identifier: ONCE, mandateReuse: 'single_use' },
      { ...usual.resources![0]!, identifier: FEW, rateLimit: { requests: 10, windowSeconds: 3_600 } },
    ],
  }));
  server = await startPrimary(world, 2);
  ({ child: primary, url } = server);
}, 150_000);
afterAll(async () => {
  server?.kill();
  await world?.close();
});

interface Answer {
  readonly status: number;
  readonly error: string | undefined;
  readonly requestId: string | undefined;
}

/** A call on a connection of its own, unless there is an agent. */
function call(mandate: string, resource = BILLING, agent: Agent | false = false): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'X-Caracal-Resource': resource, Authorization: `Bearer ${mandate}` };
    const request = get(`${url.gateway}/v1/invoices/42`, { agent, headers }, (response) => {
      const { 'x-caracal-error': error, 'x-caracal-request-id': requestId } = response.headers;
      response.resume().once('end', () => {
        resolve({ status: response.statusCode!, error: error as string, requestId: requestId as string });
      });
      response.once('error', reject);
    });
    request.once('error', reject);
  });
}

const admin = (path: string, init: RequestInit = {}) =>
  fetch(`${url.admin}${path}`, { ...init, headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } });
const mandate = (resource = BILLING) => mandateFrom(url.tokenService!, 'billing:read', resource);
const events = (event: string) => server.events(event);
const change = async (what: string) => {
  const anchors = [{ kind: 'client_id', id: 'billing-agent' }];
  expect((await admin(`/v1/revocations${what}`, { method: 'POST', body: JSON.stringify({ anchors }) })).status).toBe(
    200,
  );
};
const many = <T>(count: number, make: () => Promise<T>) => Promise.all(Array.from({ length: count }, make));

describe('two workers', () => {
  it('leave one chain of evidence, and are counted together', async () => {
    const token = await mandate();
    const boots = new Set<unknown>();
    const journal = await openJournalReader(join(world.directory, '.caracal', 'audit'));
    let calls = 0;
    const served = async () => {
      const answers = await many(20, () => call(token));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      calls += answers.length;
      for await (const { record } of journal.query()) {
        if (record.type === 'request.authorized') boots.add(record.bootId);
      }
      return boots.size;
    };
    await expect.poll(served, PATIENT).toBe(2);
    const publicKey = await (await admin('/v1/audit/public-key')).text();
    await expect.poll(async () => (await journal.verify({ publicKey })).ok, PATIENT).toBe(true);
    const counted = async () => {
      const text = await (await admin('/metrics')).text();
      return Number(
        /caracal_request_duration_seconds_count\{resource="resource:\/\/billing-api"\} (\d+)/.exec(text)?.[1],
      );
    };
    await expect.poll(counted, PATIENT).toBe(calls);
    expect(await (await admin('/v1/status')).json()).toMatchObject({ workers: 2 });
  }, 120_000);

  it('refuse a revoked application everywhere once that is answered, and cut its streams', async () => {
    const token = await mandate();
    const streams = await many(8, async () => {
      const headers = { 'X-Caracal-Resource': BILLING, Authorization: `Bearer ${token}`, Connection: 'close' };
      const stream = await fetch(`${url.gateway}/v1/invoices/stream`, { headers });
      const reader = stream.body!.getReader();
      await reader.read();
      return reader;
    });
    const seen = world.seen.length;
    await change('');
    const answers = await many(30, () => call(token));
    expect(new Set(answers.map(({ error }) => error))).toEqual(new Set(['session_revoked']));
    expect(world.seen.length).toBe(seen);
    for (const reader of streams) await expect(reader.read()).rejects.toThrow();
    await change('/lift');
    expect(new Set((await many(30, () => call(token))).map(({ status }) => status))).toEqual(new Set([200]));
  }, 120_000);

  it('let a mandate be used once, and a limit be used up once, between them', async () => {
    const token = await mandate(ONCE);
    const used = await many(30, () => call(token, ONCE));
    expect(used.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(used.filter(({ status }) => status !== 200).map(({ error }) => error))).toEqual(
      new Set(['token_replayed']),
    );
    const fresh = await mandate(FEW);
    const limited = await many(30, () => call(fresh, FEW));
    expect(limited.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(limited.filter(({ status }) => status === 429)).toHaveLength(20);
  }, 120_000);

  it('verify with keys that were made meanwhile, and with those no longer that were stolen', async () => {
    const before = await mandate();
    expect((await call(before)).status).toBe(200);
    await admin('/v1/token-service/rotate-keys', { method: 'POST', body: JSON.stringify({ keepPrevious: false }) });
    const after = await mandate();
    expect(new Set((await many(20, () => call(before))).map(({ status }) => status))).toEqual(new Set([401]));
    expect(new Set((await many(20, () => call(after))).map(({ status }) => status))).toEqual(new Set([200]));
  }, 120_000);

  it('take a changed configuration together, and keep the last good one', async () => {
    const good = JSON.parse(await readFile(world.file, 'utf8'));
    const token = await mandate();
    const [resource, ...others] = good.resources;
    await world.write({ ...good, resources: [{ ...resource, operations: resource.operations.slice(1) }, ...others] });
    expect((await admin('/v1/reload', { method: 'POST' })).status).toBe(200);
    const refused = await many(20, () => call(token));
    expect(new Set(refused.map(({ error }) => error))).toEqual(new Set(['operation_not_permitted']));
    await world.write({ ...good, resources: [{ ...resource, provider: 'provider://nowhere' }, ...others] });
    expect((await admin('/v1/reload', { method: 'POST' })).status).toBe(422);
    expect((await call(token)).error).toBe('operation_not_permitted');
    await world.write(good);
    expect((await admin('/v1/reload', { method: 'POST' })).status).toBe(200);
    expect(new Set((await many(20, () => call(token))).map(({ status }) => status))).toEqual(new Set([200]));
  }, 120_000);

  it('are replaced one after another without a lost request, on kept connections and new ones', async () => {
    const token = await mandate();
    const agents = Array.from({ length: 8 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    let over = false;
    let kept = 0;
    const callers = [...agents, false as const, false as const].map(async (agent) => {
      while (!over) {
        const { status } = await call(token, undefined, agent);
        if (status !== 200) throw new Error(`answered ${status}`);
        kept += 1;
      }
    });
    await expect.poll(() => kept, PATIENT).toBeGreaterThan(50);
    const before = events('worker_started').length;
    const restarted = await admin('/v1/workers/restart', { method: 'POST' });
    expect(await restarted.json()).toEqual({ restarted: 2 });
    expect(events('worker_started').length).toBe(before + 2);
    const during = kept;
    await expect.poll(() => kept, PATIENT).toBeGreaterThan(during + 100);
    over = true;
    await Promise.all(callers);
    for (const agent of agents) agent.destroy();
    expect(events('worker_died')).toEqual([]);
  }, 120_000);

  it('are replaced when they die; what they had under way ends as unknown', async () => {
    const token = await mandate();
    const headers = { 'X-Caracal-Resource': BILLING, Authorization: `Bearer ${token}` };
    const stream = await fetch(`${url.gateway}/v1/invoices/stream`, { headers });
    const reader = stream.body!.getReader();
    await reader.read();
    const before = events('worker_started');
    for (const { pid } of before.slice(-2)) process.kill(pid, 'SIGKILL');
    await expect(reader.read()).rejects.toThrow();
    await expect.poll(() => events('worker_started').length, PATIENT).toBe(before.length + 2);
    expect(events('worker_died')).toHaveLength(2);
    expect((await call(token)).status).toBe(200);
    const requestId = stream.headers.get('x-caracal-request-id');
    const { outcome } = (await (await admin(`/v1/audit/requests/${requestId}`)).json()) as { outcome: string };
    expect(outcome).toBe('unknown');
  }, 120_000);

  it('refuse with 503, and never hang, while the process they belong to is stopped', async () => {
    const token = await mandate();
    expect((await call(token)).status).toBe(200);
    const seen = world.seen.length;
    primary.kill('SIGSTOP');
    // Nothing is accepted that could not be recorded; from maxStalenessMs on nothing is even judged.
    expect(await call(token)).toMatchObject({ status: 503, error: 'audit_unavailable' });
    const stale = async () => (await call(token)).error;
    await expect.poll(stale, PATIENT).toBe('revocation_unavailable');
    expect(new Set((await many(20, () => call(token))).map(({ error }) => error))).toEqual(
      new Set(['revocation_unavailable']),
    );
    expect(world.seen.length).toBe(seen);
    primary.kill('SIGCONT');
    // Every worker, not the one that was first to hear of the primary.
    const refused = async () => (await many(20, () => call(token))).filter(({ status }) => status !== 200);
    await expect.poll(refused, PATIENT).toEqual([]);
  }, 120_000);

  it('are drained with it', async () => {
    const token = await mandate();
    expect((await call(token)).status).toBe(200);
    primary.kill('SIGTERM');
    const [code, signal] = await once(primary, 'exit');
    expect([code, signal]).toEqual([0, null]);
    expect(server.log()).toContain('"event":"stopped"');
    await expect(call(token)).rejects.toThrow();
    for (const { pid } of events('worker_started')) expect(() => process.kill(pid, 0)).toThrow();
    const journal = await openJournalReader(join(world.directory, '.caracal', 'audit'));
    let last: string | undefined;
    for await (const { record } of journal.query()) last = record.type;
    expect(last).toBe('gateway.stopped');
    for (const secret of [ADMIN_TOKEN, token, world.environment.UPSTREAM_KEY!])
      expect(server.log()).not.toContain(secret);
  }, 120_000);
});
