import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AuditRecord } from '@caracal/core';
import { openJournalReader } from '@caracal/file';
import { afterEach, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN, type ServerWorld, serverWorld } from './server.js';

let world: ServerWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const streaming: Parameters<typeof serverWorld>[0] = (usual) => ({
  ...usual,
  gateway: { ...usual.gateway, drainTimeoutMs: 1_500 },
  resources: [{ ...usual.resources![0]!, operations: [{ method: 'GET', path: '/v1/**', scopes: ['billing:read'] }] }],
});

describe('stopping a server', () => {
  it('says so, accepts nothing more, lets requests end, cuts what takes too long, and keeps the evidence', async () => {
    world = await serverWorld(streaming);
    const mandate = await world.mandate();
    const stream = await world.call(mandate, '/v1/invoices/stream');
    const reader = stream.body!.getReader();
    await reader.read();
    const closing = world.server.close();
    const ready = await world.admin('/readyz');
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'not_ready', reasons: ['draining'] }]);
    expect((await world.admin('/livez')).status).toBe(200);
    await expect(world.call(mandate)).rejects.toThrow();
    expect(await world.server.reload()).toMatchObject({ ok: false });
    await expect(reader.read()).rejects.toThrow(); // cut, not ended
    await closing;
    await expect(world.admin('/livez')).rejects.toThrow();
    const journal = await openJournalReader(join(world.directory, '.caracal', 'audit'));
    const { outcome } = await journal.trace(stream.headers.get('x-caracal-request-id')!);
    expect(outcome).toBe('shutdown');
    const types: AuditRecord['type'][] = [];
    for await (const { record } of journal.query()) types.push(record.type);
    expect(types.at(-1)).toBe('gateway.stopped');
    expect((await journal.verify({ publicKey: world.server.journal.publicKey })).ok).toBe(true);
  });
});

describe('a server in a process of its own', () => {
  it('tells where it listens, reloads on SIGHUP and when its file changes, and drains on SIGTERM', async () => {
    world = await serverWorld(streaming);
    const configuration = JSON.parse(await readFile(world.file, 'utf8'));
    await world.server.close(); // its state directory is the child's now
    const runner = fileURLToPath(new URL('../chaos/run-typescript.mjs', import.meta.url));
    const child = fork(runner, [fileURLToPath(new URL('./server-process.ts', import.meta.url)), world.file], {
      env: { ...process.env, ...world.environment },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let [out, log] = ['', ''];
    child.stdout!.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr!.on('data', (chunk) => {
      log += chunk;
    });
    const lines = () =>
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { name: string; url: string });
    try {
      await expect.poll(() => out.split('\n').length - 1, { timeout: 60_000 }).toBe(3);
      expect(lines().map(({ name }) => name)).toEqual(['gateway', 'tokenService', 'admin']);
      const admin = lines()[2]!.url;
      const version = async () => {
        const answer = await fetch(`${admin}/v1/status`, { headers: { Authorization: `Bearer ${ADMIN_TOKEN}` } });
        return ((await answer.json()) as { configuration: { version: string } }).configuration.version;
      };
      const first = await version();
      await world.write({ ...configuration, gateway: { ...configuration.gateway, id: 'second' } });
      await expect.poll(version, { timeout: 60_000 }).not.toBe(first);
      const reloads = () => log.split('\n').filter((line) => line.includes('"configuration_reloaded"')).length;
      const before = reloads();
      child.kill('SIGHUP');
      await expect.poll(reloads, { timeout: 60_000 }).toBeGreaterThan(before);
      child.kill('SIGTERM');
      const [code, signal] = await once(child, 'exit');
      expect([code, signal]).toEqual([0, null]);
      expect(log).toContain('"event":"stopped"');
      for (const line of log.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('event');
    } finally {
      child.kill('SIGKILL');
    }
  }, 120_000);
});
