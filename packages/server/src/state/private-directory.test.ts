import { chmod, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogEntry } from '../log/log.js';
import { privateDirectory } from './private-directory.js';

let parent: string;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'caracal-private-'));
});
afterAll(() => rm(parent, { recursive: true }));

async function told(directory: string): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  await privateDirectory(directory, (entry) => entries.push(entry));
  return entries;
}

describe('privateDirectory', () => {
  it('makes one for its owner alone, and says nothing of it then or later', async () => {
    const directory = join(parent, 'a', 'b');
    expect(await told(directory)).toEqual([]);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect(await told(directory)).toEqual([]);
  });

  it.each([0o755, 0o750, 0o770, 0o701, 0o777])('leaves one of mode %o as it is, and says so', async (mode) => {
    const directory = join(parent, mode.toString(8));
    await mkdir(directory);
    await chmod(directory, mode);
    expect(await told(directory)).toMatchObject([
      { level: 'warn', event: 'state_directory_open', mode: `0${mode.toString(8)}` },
    ]);
    expect((await stat(directory)).mode & 0o777).toBe(mode);
  });
});
