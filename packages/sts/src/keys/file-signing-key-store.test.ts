import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSealingKey } from '@caracal/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileSigningKeyStore, SIGNING_KEYS_FILE } from './file-signing-key-store.js';
import { generateSigningKey } from './signing-key.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'caracal-sts-'));
});
afterAll(() => rm(root, { recursive: true }));

const sealingKey = (id: string) => ({ id, key: generateSealingKey() });

describe('fileSigningKeyStore', () => {
  it('keeps keys sealed, in a file only its owner can read', async () => {
    const directory = join(root, 'kept');
    const options = { directory, zone: 'default', sealingKeys: [sealingKey('k1')] };
    const keys = [{ ...(await generateSigningKey('ES256', 1)), retiresAt: 9 }, await generateSigningKey('EdDSA', 2)];
    expect(await fileSigningKeyStore(options).load()).toEqual([]);
    await fileSigningKeyStore(options).save(keys);
    const loaded = await fileSigningKeyStore(options).load();
    expect(loaded).toEqual(keys);
    expect(loaded.map(({ privateJwk }) => privateJwk.reveal())).toEqual(
      keys.map(({ privateJwk }) => privateJwk.reveal()),
    );
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, SIGNING_KEYS_FILE))).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual([SIGNING_KEYS_FILE]);
    const text = await readFile(join(directory, SIGNING_KEYS_FILE), 'utf8');
    for (const { privateJwk, kid } of keys) {
      expect(text).not.toContain(kid);
      expect(text).not.toContain(JSON.parse(privateJwk.reveal()).d);
    }
  });

  it('opens with any key of the ring, seals with the first, and opens for no other zone or key', async () => {
    const directory = join(root, 'ring');
    const [k1, k2] = [sealingKey('k1'), sealingKey('k2')];
    const keys = [await generateSigningKey('ES256', 1)];
    await fileSigningKeyStore({ directory, zone: 'default', sealingKeys: [k1] }).save(keys);
    expect(await fileSigningKeyStore({ directory, zone: 'default', sealingKeys: [k2, k1] }).load()).toEqual(keys);
    for (const other of [
      { zone: 'other', sealingKeys: [k1] },
      { zone: 'default', sealingKeys: [sealingKey('k1')] },
      { zone: 'default', sealingKeys: [k2] },
    ]) {
      await expect(fileSigningKeyStore({ directory, ...other }).load()).rejects.toThrow();
    }
  });

  it('refuses a damaged file rather than begin anew', async () => {
    const directory = join(root, 'damaged');
    const options = { directory, zone: 'default', sealingKeys: [sealingKey('k1')] };
    await fileSigningKeyStore(options).save([await generateSigningKey('ES256', 1)]);
    await writeFile(join(directory, SIGNING_KEYS_FILE), '');
    await expect(fileSigningKeyStore(options).load()).rejects.toThrow();
  });

  it('refuses options that are not in order', () => {
    expect(() => fileSigningKeyStore({ directory: '', zone: 'z', sealingKeys: [sealingKey('k1')] })).toThrow(TypeError);
    expect(() => fileSigningKeyStore({ directory: root, zone: 'z', sealingKeys: [] })).toThrow(TypeError);
  });
});
