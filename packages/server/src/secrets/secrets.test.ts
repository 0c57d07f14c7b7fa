import { mkdtemp, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSealingKey, type Secret, sealSecret } from '@caracal/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configurationOf } from '../configuration/load-configuration.js';
import { loadSealingKeys, SEALING_KEY_FILE } from './sealing-keys.js';
import { secretProblems } from './secret-problems.js';
import { serverSecrets } from './server-secrets.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'caracal-secrets-'));
});
afterAll(() => rm(directory, { recursive: true }));

const BINDING = { zoneId: 'default', providerId: 'provider://a', field: 'secret', origins: [] };
const key = { id: 'k1', key: generateSealingKey() };

async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

describe('serverSecrets', () => {
  const secrets = serverSecrets({ keys: [key], generated: false }, { SET: 'value', EMPTY: '' });
  afterAll(() => secrets.close());

  it('opens a variable as the same object each time, and none that is not set', () => {
    const opened = secrets.open({ env: 'SET' }, BINDING);
    expect((opened as Secret).reveal()).toBe('value');
    expect(secrets.open({ env: 'SET' }, BINDING)).toBe(opened);
    for (const env of ['EMPTY', 'MISSING']) {
      expect(() => secrets.open({ env }, BINDING)).toThrow(expect.objectContaining({ code: 'credential_unavailable' }));
    }
  });

  it('opens a file from memory, and again when it has changed', async () => {
    const file = join(directory, 'secret');
    await replace(file, 'one\n');
    const first = await secrets.open({ file }, BINDING);
    expect(first.reveal()).toBe('one');
    expect(secrets.open({ file }, BINDING)).toBe(first);
    await replace(file, 'two\r\n');
    await secrets.refresh();
    expect((secrets.open({ file }, BINDING) as Secret).reveal()).toBe('two');
    await unlink(file);
    await secrets.refresh();
    expect(() => secrets.open({ file }, BINDING)).toThrow(expect.objectContaining({ reason: 'secret_file' }));
    await replace(file, 'three');
    await secrets.refresh();
    expect((secrets.open({ file }, BINDING) as Secret).reveal()).toBe('three');
  });

  it('opens what was sealed for its place alone', async () => {
    const sealed = await sealSecret('value', key, BINDING);
    expect((await secrets.open({ sealed }, BINDING)).reveal()).toBe('value');
    await expect(secrets.open({ sealed }, { ...BINDING, zoneId: 'other' })).rejects.toThrow();
  });
});

describe('loadSealingKeys', () => {
  const of = (sealing: object) =>
    configurationOf(
      { issuers: [{ issuer: 'a', keys: [] }], ...sealing, stores: { stateDirectory: 'state' } },
      directory,
    );
  const configured = (env: string) => ({
    issuers: [{ issuer: 'https://i', jwksUri: 'https://i/k' }],
    sealing: { keys: [{ id: 'k1', key: { env } }] },
  });

  it('makes one for its owner alone where none is named, and finds it again', async () => {
    const { configuration } = of({ issuers: configured('K').issuers });
    const made = await loadSealingKeys(configuration, {});
    expect(made.generated).toBe(true);
    const again = await loadSealingKeys(configuration, {});
    expect(again.keys[0]!.key.reveal()).toBe(made.keys[0]!.key.reveal());
    expect((await stat(join(directory, 'state', SEALING_KEY_FILE))).mode & 0o777).toBe(0o600);
  });

  it('takes those of the configuration, and tells which cannot be had without a part of it', async () => {
    const { configuration } = of(configured('K'));
    const { keys, generated } = await loadSealingKeys(configuration, { K: key.key.reveal() });
    expect([keys[0]!.id, keys[0]!.key.reveal(), generated]).toEqual(['k1', key.key.reveal(), false]);
    await expect(loadSealingKeys(configuration, {})).rejects.toThrow(
      'sealing.keys[0].key: is kept in the environment variable K',
    );
    await expect(loadSealingKeys(configuration, { K: 'hunter2' })).rejects.toThrow('is no sealing key');
    await expect(loadSealingKeys(configuration, { K: 'hunter2' })).rejects.not.toThrow('hunter2');
  });
});

describe('secretProblems', () => {
  it('names every secret that cannot be had now', async () => {
    const sealed = await sealSecret('value', key, { ...BINDING, providerId: 'provider://other' });
    const { configuration } = configurationOf(
      {
        tokenService: {
          applications: [
            { id: 'a', secret: { env: 'MISSING' } },
            { id: 'b', secret: { env: 'SET' } },
          ],
        },
        sealing: { keys: [{ id: 'k1', key: { env: 'K' } }] },
        providers: [
          { id: 'provider://a', kind: 'bearer_token', secret: { sealed } },
          { id: 'provider://b', kind: 'bearer_token', secret: { file: 'none' } },
        ],
        admin: { token: { env: 'EMPTY' } },
      },
      directory,
    );
    const problems = await secretProblems(configuration, { SET: 'x', EMPTY: '', K: key.key.reveal() });
    expect(problems.map(({ path }) => path)).toEqual([
      'admin.token',
      'tokenService.applications[0].secret',
      'providers[0].secret',
      'providers[1].secret',
    ]);
    expect(problems[2]!.fault).toContain('does not open');
  });
});
