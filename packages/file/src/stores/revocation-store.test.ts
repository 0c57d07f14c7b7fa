import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Anchor, Clock } from '@caracal/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FaultyDisk } from './faulty-disk.fixture.js';
import { type FileRevocationStore, fileRevocationStore, openRevocations } from './revocation-store.js';

const DAY_MS = 24 * 60 * 60 * 1000;

class TestClock implements Clock {
  wallMs = Date.UTC(2030, 0, 1);
  monotonicMs = 1_000;
  now = () => this.wallMs;
  monotonic = () => this.monotonicMs;
}

function anchor(id: string, kind: Anchor['kind'] = 'sid'): Anchor {
  return { zoneId: 'default', issuer: 'https://issuer.example', kind, id };
}

describe('fileRevocationStore', () => {
  let directory: string;
  let log: string;
  let clock: TestClock;
  let disk: FaultyDisk;
  let warnings: string[];
  let open: FileRevocationStore[];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'caracal-revocations-'));
    log = join(directory, 'revocations', 'revocations.log');
    clock = new TestClock();
    disk = new FaultyDisk();
    warnings = [];
    open = [];
  });
  afterEach(async () => {
    for (const store of open) await store.close();
    await rm(directory, { recursive: true });
  });

  async function start(maxEntries = 100): Promise<FileRevocationStore> {
    const onWarning = (message: string) => void warnings.push(message);
    const store = await openRevocations({ directory, clock, maxEntries, onWarning }, disk);
    open.push(store);
    return store;
  }

  async function restart(store: FileRevocationStore): Promise<FileRevocationStore> {
    await store.close();
    clock.monotonicMs = 50; // another process, another zero
    return start();
  }

  it('remembers revocations and lifts across a restart', async () => {
    let store = await start();
    await Promise.all([store.revoke(anchor('a')), store.revoke(anchor('b')), store.revoke(anchor('x', 'sub'))]);
    await store.lift(anchor('b'));
    store = await restart(store);
    expect(['a', 'b'].map((id) => store.isRevoked([anchor(id)]))).toEqual([true, false]);
    expect(store.isRevoked([anchor('x', 'sub')])).toBe(true);
    expect(warnings).toEqual([]);
  });

  it('counts the life of a session’s revocation by the wall clock across restarts, and that of a subject not at all', async () => {
    let store = await start();
    await store.revoke(anchor('a'));
    await store.revoke(anchor('x', 'client_id'));
    await store.close();
    clock.wallMs += DAY_MS + 59_000;
    store = await restart(store);
    expect(store.isRevoked([anchor('a')])).toBe(true);
    clock.monotonicMs += 1_000;
    expect(store.isRevoked([anchor('a')])).toBe(false);
    await store.close();
    clock.wallMs += 400 * DAY_MS;
    store = await restart(store);
    expect(store.isRevoked([anchor('x', 'client_id')])).toBe(true);
  });

  it('keeps no revocation longer than a life where the wall clock was set back', async () => {
    let store = await start();
    await store.revoke(anchor('a'));
    clock.wallMs -= 1_000 * DAY_MS;
    store = await restart(store);
    expect(store.isRevoked([anchor('a')])).toBe(true);
    clock.monotonicMs += DAY_MS + 60_000;
    expect(store.isRevoked([anchor('a')])).toBe(false);
  });

  it('revokes before revoke returns, and resolves only when it is on disk', async () => {
    const store = await start();
    let release = () => {};
    disk.gate = new Promise((resolve) => {
      release = resolve;
    });
    let resolved = false;
    const told: string[] = [];
    store.subscribe((revoked) => void told.push(...revoked.map(({ id }) => id)));
    const revoking = store.revoke(anchor('a')).then(() => {
      resolved = true;
    });
    expect(store.isRevoked([anchor('a')])).toBe(true);
    await new Promise(setImmediate);
    expect(told).toEqual(['a']); // streams are cut before the disk is done
    expect(resolved).toBe(false);
    release();
    await revoking;
    expect(await readFile(log, 'utf8')).toContain('"id":"a"');
  });

  it('rejects a revocation the disk did not take, which counts until the end and can be made to last', async () => {
    let store = await start();
    for (const fault of ['full', 'failingSync'] as const) {
      disk[fault] = true;
      await expect(store.revoke(anchor(fault))).rejects.toMatchObject({ reason: 'not_durable' });
      disk[fault] = false;
      expect(store.isRevoked([anchor(fault)])).toBe(true);
    }
    await store.revoke(anchor('full'));
    store = await restart(store);
    expect(store.isRevoked([anchor('full')])).toBe(true);
    expect(store.isRevoked([anchor('failingSync')])).toBe(false);
  });

  it('lifts nothing the disk did not take', async () => {
    let store = await start();
    await store.revoke(anchor('a'));
    disk.full = true;
    await expect(store.lift(anchor('a'))).rejects.toMatchObject({ reason: 'not_durable' });
    expect(store.isRevoked([anchor('a')])).toBe(true);
    disk.full = false;
    store = await restart(store);
    expect(store.isRevoked([anchor('a')])).toBe(true);
  });

  it('does not let a lift under way take back a revocation that came after it', async () => {
    let store = await start();
    await store.revoke(anchor('a'));
    const lifting = store.lift(anchor('a'));
    await store.revoke(anchor('a'));
    await lifting;
    expect(store.isRevoked([anchor('a')])).toBe(true);
    store = await restart(store);
    expect(store.isRevoked([anchor('a')])).toBe(true);
  });

  it('opens at whatever byte it was cut off, tells of it, and has forgotten nothing that was saved', async () => {
    let store = await start();
    await store.revoke(anchor('a'));
    await store.close();
    const saved = await readFile(log);
    store = await restart(store);
    await store.revoke(anchor('b'));
    await store.close();
    const whole = await readFile(log);
    for (let cut = saved.length; cut < whole.length; cut++) {
      await writeFile(log, whole.subarray(0, cut));
      warnings = [];
      store = await start();
      expect(store.isRevoked([anchor('a')])).toBe(true);
      expect(store.isRevoked([anchor('b')])).toBe(false);
      expect(warnings).toHaveLength(cut === saved.length ? 0 : 1);
      await store.close();
    }
    expect(warnings[0]).toMatch(/revocations\.log ended in a line of \d+ bytes that was cut off/);
  });

  it('does not open a log with a damaged line, and says which, and what to do', async () => {
    const store = await start();
    for (const id of ['a', 'b', 'c']) await store.revoke(anchor(id));
    await store.close();
    const text = await readFile(log, 'utf8');
    await writeFile(log, text.replace('"id":"b"', '"id":"B"'));
    await expect(start()).rejects.toThrow(
      `${log}: line 3 does not fit its checksum and the line before it. Restore the file from a copy; or keep its first 2 lines`,
    );
    await writeFile(log, '');
    await expect(start()).rejects.toThrow('line 1 is missing: the file has been cut off. Restore');
    await writeFile(log, text);
    const again = await start(); // a failed opening has left no lock behind
    expect(again.isRevoked([anchor('b')])).toBe(true);
  });

  it('shortens its log, and forgets nothing that counts', async () => {
    let store = await start();
    await store.revoke(anchor('kept', 'sub'));
    for (let index = 0; index < 700; index++) {
      await Promise.all([store.revoke(anchor(`${index}`)), store.lift(anchor(`${index}`))]);
    }
    expect((await readFile(log, 'utf8')).split('\n').length).toBeLessThan(1_100);
    expect(await readdir(join(directory, 'revocations'))).toContain('revocations.log');
    store = await restart(store);
    expect(store.isRevoked([anchor('kept', 'sub')])).toBe(true);
    expect(store.isRevoked([anchor('5')])).toBe(false);
  });

  it('does not mind that it was killed while it shortened its log', async () => {
    const store = await start();
    await store.revoke(anchor('a'));
    await store.close();
    await writeFile(`${log}.new`, 'half of ano');
    const next = await start();
    expect(next.isRevoked([anchor('a')])).toBe(true);
    expect((await readdir(join(directory, 'revocations'))).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('forgets none where it opens with less room than it had', async () => {
    const store = await start(10);
    for (let index = 0; index < 5; index++) await store.revoke(anchor(`${index}`));
    await store.close();
    const small = await start(2);
    for (let index = 0; index < 5; index++) expect(small.isRevoked([anchor(`${index}`)])).toBe(true);
    await expect(small.revoke(anchor('new'))).rejects.toMatchObject({ reason: 'store_full' });
  });

  it('has one owner', async () => {
    const store = await start();
    await expect(start()).rejects.toThrow('is in use by');
    await store.close();
    await store.close();
    await (await start()).close();
  });

  it('is fresh while it is open, and grows stale from its close on', async () => {
    const store = await start();
    clock.monotonicMs += 5_000;
    expect(store.freshAsOf()).toBe(clock.monotonicMs);
    await store.close();
    const closedAt = clock.monotonicMs;
    clock.monotonicMs += 5_000;
    expect(store.freshAsOf()).toBe(closedAt);
    await expect(store.revoke(anchor('a'))).rejects.toMatchObject({ reason: 'closed' });
    await expect(store.lift(anchor('a'))).rejects.toMatchObject({ reason: 'closed' });
  });

  it('keeps files for its owner alone', async () => {
    await start();
    expect((await stat(join(directory, 'revocations'))).mode & 0o777).toBe(0o700);
    expect((await stat(log)).mode & 0o777).toBe(0o600);
  });

  it('refuses options it does not know', async () => {
    await expect(fileRevocationStore({ directory, maxEntry: 1 } as never)).rejects.toThrow('unknown option maxEntry');
    await expect(fileRevocationStore({ directory: '' })).rejects.toThrow('directory is a text');
  });
});
