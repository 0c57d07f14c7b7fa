import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfiguration } from './configuration/load-configuration.js';
import { readCertificate } from './listening/listener-tls.js';
import { readBoundedFile } from './read-bounded-file.js';
import { secretOfFile } from './secrets/read-reference.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'caracal-bounded-'));
  execFileSync('mkfifo', [at('pipe'), at('pipe.json')]);
  await symlink('/dev/zero', at('endless.yaml'));
});
afterAll(() => rm(directory, { recursive: true }));

const at = (name: string): string => join(directory, name);

describe('readBoundedFile', () => {
  it('reads a file up to its bound and not a byte more', async () => {
    await writeFile(at('full'), Buffer.alloc(200_000, 7));
    expect(await readBoundedFile(at('full'), 200_000)).toEqual(Buffer.alloc(200_000, 7));
    await expect(readBoundedFile(at('full'), 199_999)).rejects.toMatchObject({ code: 'EFBIG' });
    await writeFile(at('empty'), '');
    expect(await readBoundedFile(at('empty'), 10)).toHaveLength(0);
  });

  it('follows a link, as secrets that are mounted are links', async () => {
    await writeFile(at('secret'), 'value');
    await symlink('secret', at('link'));
    expect((await secretOfFile(at('link'))).reveal()).toBe('value');
  });

  it('believes no size: a file of the kernel says 0', async () => {
    expect((await readBoundedFile('/proc/self/stat', 64 * 1024)).length).toBeGreaterThan(10);
  });
});

describe('a file that never ends, or that nobody writes to', () => {
  it('is no secret', async () => {
    for (const path of ['/dev/zero', at('pipe'), directory]) {
      await expect(secretOfFile(path)).rejects.toThrow(/is kept in .*, which is no regular file/);
    }
  });

  it('is no configuration', async () => {
    for (const name of ['endless.yaml', 'pipe.json']) {
      await expect(loadConfiguration(name, { directory })).rejects.toThrow('is no regular file');
    }
  });

  it('is no certificate', async () => {
    await expect(readCertificate('admin', { cert: '/dev/zero', key: at('pipe') })).rejects.toThrow('admin.tls');
  });
});
