import { mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MandateUse } from '@caracal/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FaultyDisk } from './faulty-disk.fixture.js';
import { type FileReplayStore, fileReplayStore, openReplays } from './replay-store.js';

const START = Date.UTC(2030, 0, 1) / 1000;

describe('fileReplayStore', () => {
  let root: string;
  let directory: string;
  let seconds: number;
  let disk: FaultyDisk;
  let warnings: string[];
  let open: FileReplayStore[];
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'caracal-replay-'));
    directory = join(root, 'replay');
    seconds = START;
    disk = new FaultyDisk();
    warnings = [];
    open = [];
  });
  afterEach(async () => {
    for (const store of open) await store.close();
    await rm(root, { recursive: true });
  });

  const clock = { now: () => seconds * 1000, monotonic: () => 0 };

  async function start(options: { maxEntries?: number } = {}): Promise<FileReplayStore> {
    const onWarning = (message: string) => void warnings.push(message);
    const store = await openReplays({ directory: root, clock, onWarning, ...options }, disk);
    open.push(store);
    return store;
  }

  const use = (jti: string, of: Partial<MandateUse> = {}): MandateUse => ({
    zoneId: 'default',
    issuer: 'https://issuer.example',
    jti,
    issuedAt: START,
    expiresAt: START + 900,
    ...of,
  });

  const marks = async () => (await readdir(directory)).filter((name) => name.startsWith('until-'));

  it('knows across a restart what was used, and lets through what was not', async () => {
    const store = await start();
    expect(await store.use(use('a'))).toBe('first');
    await store.close();
    seconds += 120;
    const next = await start();
    expect(await next.use(use('a'))).toBe('replayed');
    expect(await next.use(use('b'))).toBe('first');
    expect(warnings).toEqual([]);
  });

  it('says first only when the mark is on disk, and once for uses that share an fsync', async () => {
    const store = await start();
    await store.use(use('warm'));
    let release = () => {};
    disk.gate = new Promise((resolve) => {
      release = resolve;
    });
    const before = disk.syncs;
    let answered = 0;
    const uses = Array.from({ length: 100 }, async (_, index) => {
      await store.use(use(`${index}`));
      answered += 1;
    });
    await new Promise(setImmediate);
    expect(answered).toBe(0);
    expect(store.use(use('0'))).toBe('replayed'); // while the first one waits
    release();
    await Promise.all(uses);
    expect(disk.syncs - before).toBe(2);
    const [file] = await marks();
    expect((await readFile(join(directory, file!), 'utf8')).split('\n')).toHaveLength(103);
  });

  it('spends no mandate the disk did not take, and goes on by itself', async () => {
    const store = await start();
    for (const fault of ['full', 'failingSync'] as const) {
      disk[fault] = true;
      await expect(store.use(use(fault))).rejects.toMatchObject({ code: 'replay_unavailable', reason: 'not_durable' });
      disk[fault] = false;
      expect(await store.use(use(fault))).toBe('first');
      expect(await store.use(use(fault))).toBe('replayed');
    }
  });

  it('keeps marks by the time they end, and removes a file whole', async () => {
    const store = await start();
    await store.use(use('soon', { expiresAt: START + 300 }));
    await store.use(use('late', { expiresAt: START + 3_600 }));
    expect(await marks()).toHaveLength(2);
    seconds += 601;
    expect(await store.use(use('later', { expiresAt: START + 3_500 }))).toBe('first');
    await store.close();
    expect(await marks()).toEqual([`until-${START + 4_200}.log`, `until-${START + 3_600}.log`].sort());
  });

  it('removes at the next start what has ended meanwhile', async () => {
    const store = await start();
    await store.use(use('a'));
    await store.close();
    seconds += 3_600;
    const next = await start();
    await next.use(use('b', { expiresAt: seconds + 60 }));
    await next.close();
    expect(await marks()).toHaveLength(1);
  });

  it('cannot know what had ended before the clock was set back', async () => {
    const store = await start();
    expect(await store.use(use('a'))).toBe('first');
    seconds += 3_600;
    await store.use(use('b', { expiresAt: seconds + 900 }));
    seconds = START + 100;
    expect(await store.use(use('a'))).toBe('before_store');
  });

  it('takes a mark of whatever was cut off for unused, and tells of it', async () => {
    const store = await start();
    await store.use(use('a'));
    await store.use(use('b'));
    await store.close();
    const path = join(directory, (await marks())[0]!);
    const whole = await readFile(path);
    const second = whole.lastIndexOf(0x0a, whole.length - 2) + 1;
    for (const cut of [second, second + 1, whole.length - 1]) {
      await writeFile(path, whole.subarray(0, cut));
      warnings = [];
      const next = await start();
      expect(await next.use(use('a'))).toBe('replayed');
      expect(await next.use(use('b'))).toBe('first');
      expect(warnings).toHaveLength(cut === second ? 0 : 1);
      await next.close();
    }
  });

  it('begins anew where a file is damaged or its beginning is gone, and refuses all that was issued until then', async () => {
    const spoil: ((file: string) => Promise<void>)[] = [
      async (file) => writeFile(file, (await readFile(file, 'utf8')).replace('"a"', '"A"')),
      async (file) => writeFile(file, ''),
      () => unlink(join(directory, 'begins.log')),
      () => writeFile(join(directory, 'begins.log'), 'x'),
    ];
    for (const [index, damage] of spoil.entries()) {
      const at = START + index * 1_000;
      seconds = at;
      const fresh = { issuedAt: at + 61, expiresAt: at + 900 };
      const store = await start();
      expect(await store.use(use('a', fresh))).toBe('first');
      expect(await store.use(use('c', fresh))).toBe('first');
      await store.close();
      await damage(join(directory, (await marks()).sort().at(-1)!));
      warnings = [];
      seconds += 62;
      const next = await start();
      expect(warnings).toEqual([expect.stringContaining('begins anew')]);
      expect(await next.use(use('a', fresh))).toBe('before_store');
      expect(await next.use(use('b', { issuedAt: seconds + 59, expiresAt: at + 900 }))).toBe('before_store');
      expect(await next.use(use('b', { issuedAt: seconds + 60, expiresAt: at + 900 }))).toBe('first');
      await next.close();
    }
  });

  it('does not mind that it was killed while it made a file', async () => {
    const store = await start();
    await store.use(use('a'));
    await store.close();
    await writeFile(join(directory, `until-${START + 1_800}.log.new`), 'half of a hea');
    const next = await start();
    expect(await next.use(use('a'))).toBe('replayed');
    expect(warnings).toEqual([]);
    expect((await readdir(directory)).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('begins anew where the clock was set back to before its beginning', async () => {
    await (await start()).close();
    seconds -= 1_000_000;
    const store = await start();
    expect(warnings).toEqual([expect.stringContaining('the clock has been set back')]);
    expect(await store.use(use('a', { issuedAt: seconds + 60, expiresAt: seconds + 900 }))).toBe('first');
  });

  it('refuses what ends too late or never', async () => {
    const store = await start();
    for (const expiresAt of [Number.NaN, Number.POSITIVE_INFINITY, START + 90_001]) {
      expect(() => store.use(use('a', { expiresAt }))).toThrow('expiry_invalid');
    }
  });

  it('counts what it remembers across a restart', async () => {
    const store = await start({ maxEntries: 2 });
    await store.use(use('a'));
    await store.use(use('b'));
    await store.close();
    const next = await start({ maxEntries: 2 });
    expect(() => next.use(use('c'))).toThrow('store_full');
    expect(await next.use(use('a'))).toBe('replayed');
  });

  it('finishes what waits when it closes, and takes nothing after', async () => {
    const store = await start();
    const pending = store.use(use('a'));
    await Promise.all([store.close(), store.close()]);
    expect(await pending).toBe('first');
    expect(() => store.use(use('b'))).toThrow('closed');
  });

  it('has one owner, and files for it alone', async () => {
    const store = await start();
    await store.use(use('a'));
    await expect(start()).rejects.toThrow('is in use by');
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    for (const name of (await readdir(directory)).filter((file) => file.endsWith('.log'))) {
      expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
    }
  });

  it('refuses options it does not know', async () => {
    await expect(fileReplayStore({ directory, skew: 1 } as never)).rejects.toThrow('unknown option skew');
  });
});
