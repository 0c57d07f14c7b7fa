import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDirectory } from './directory-lock.js';

describe('lockDirectory', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'caracal-lock-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('creates the directory for its owner alone', async () => {
    const directory = join(root, 'state');
    const lock = await lockDirectory(directory);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    await lock.release();
  });

  it('refuses a second owner by name, and takes one after the release, which is idempotent', async () => {
    const lock = await lockDirectory(root);
    await expect(lockDirectory(root)).rejects.toThrow(`${root} is in use`);
    await lock.release();
    await lock.release();
    await (await lockDirectory(root)).release();
  });

  it('never has two owners, however many try at once', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockDirectory(root)));
    const owners = tries.filter((tried) => tried.status === 'fulfilled');
    expect(owners.length).toBeLessThanOrEqual(1);
    for (const { value } of owners) await value.release();
    await (await lockDirectory(root)).release();
  });

  it('works in a directory whose path is longer than a socket address', async () => {
    const deep = join(root, 'd'.repeat(120));
    await mkdir(deep);
    const lock = await lockDirectory(deep);
    await expect(lockDirectory(deep)).rejects.toThrow('is in use');
    await lock.release();
  });

  it('does not step on sockets that are not its own', async () => {
    const foreign = createServer();
    await new Promise<void>((listening) => foreign.listen(join(root, 'other.sock'), listening));
    const lock = await lockDirectory(root);
    await lock.release();
    expect(await readdir(root)).toContain('other.sock');
    await new Promise((closed) => foreign.close(closed));
  });
});
