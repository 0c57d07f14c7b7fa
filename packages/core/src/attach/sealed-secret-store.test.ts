import { describe, expect, it } from 'vitest';
import { CaracalError } from '../errors.js';
import { isPromise } from '../pipeline.js';
import { sealSecret } from './seal.js';
import { sealedSecretStore } from './sealed-secret-store.js';
import { generateSealingKey, type SealingKey } from './sealing-key.js';
import { Secret } from './secret.js';
import type { SecretBinding, SecretReference, SecretStore } from './secret-store.js';

const BINDING: SecretBinding = {
  zoneId: 'default',
  providerId: 'provider://api',
  field: 'secret',
  origins: ['https://b.example', 'https://a.example'],
};

function sealingKey(id: string): SealingKey {
  return { id, key: generateSealingKey() };
}

async function reasonOf(store: SecretStore, reference: SecretReference, binding = BINDING): Promise<string> {
  try {
    await store.open(reference, binding);
  } catch (error) {
    if (error instanceof CaracalError) return `${error.code} ${error.reason}`;
    throw error;
  }
  return 'opened';
}

describe('sealSecret', () => {
  it('writes the id of its key and never the same envelope twice', async () => {
    const key = sealingKey('k1');
    const texts = await Promise.all([1, 2, 3].map(() => sealSecret('s3cret', key, BINDING)));
    expect(new Set(texts).size).toBe(3);
    for (const text of texts) expect(text).toMatch(/^v1\.k1\.[\w-]{16}\.[\w-]+$/);
  });

  it('refuses texts it could not give back', async () => {
    const key = sealingKey('k1');
    for (const text of ['', '\ud800', 'x'.repeat(16_385), undefined as unknown as string]) {
      await expect(sealSecret(text, key, BINDING)).rejects.toThrow(TypeError);
    }
    await expect(sealSecret('x'.repeat(16_384), key, BINDING)).resolves.toBeTypeOf('string');
  });

  it('binds to nothing that is missing, and to no origin that is none', async () => {
    const key = sealingKey('k1');
    for (const part of ['zoneId', 'providerId', 'field'] as const) {
      await expect(sealSecret('x', key, { ...BINDING, [part]: '' })).rejects.toThrow(TypeError);
      await expect(sealSecret('x', key, { ...BINDING, [part]: undefined })).rejects.toThrow(TypeError);
    }
    for (const origin of ['https://a.example/path', 'https://u:p@a.example', 'ftp://a.example', 'a.example', '*']) {
      await expect(sealSecret('x', key, { ...BINDING, origins: [origin] })).rejects.toThrow(/^origins: /);
    }
  });
});

describe('sealedSecretStore', () => {
  it('opens what any key of its ring has sealed', async () => {
    const former = sealingKey('2025');
    const current = sealingKey('2026');
    const store = sealedSecretStore({ keys: [current, former] });
    for (const key of [former, current]) {
      const sealed = await sealSecret('s3cret', key, BINDING);
      expect((await store.open({ sealed }, BINDING)).reveal()).toBe('s3cret');
    }
  });

  it('opens for the same origins in another order or spelling', async () => {
    const key = sealingKey('k1');
    const sealed = await sealSecret('s3cret', key, BINDING);
    const binding = { ...BINDING, origins: ['https://A.example:443/', 'https://b.example'] };
    expect((await sealedSecretStore({ keys: [key] }).open({ sealed }, binding)).reveal()).toBe('s3cret');
  });

  it('tells apart malformed envelopes, unknown keys and what does not open', async () => {
    const key = sealingKey('k1');
    const sealed = await sealSecret('s3cret', key, BINDING);
    const store = sealedSecretStore({ keys: [key] });
    expect(await reasonOf(store, { sealed: 'v1.k1' })).toBe('credential_unavailable sealed_malformed');
    expect(await reasonOf(store, { sealed: `${sealed}=` })).toBe('credential_unavailable sealed_malformed');
    const renamed = sealed.replace('v1.k1.', 'v1.k2.');
    expect(await reasonOf(store, { sealed: renamed })).toBe('credential_unavailable sealing_key_unknown');
    const namesake = sealedSecretStore({ keys: [sealingKey('k1')] });
    expect(await reasonOf(namesake, { sealed })).toBe('credential_unavailable sealed_not_openable');
  });

  it('opens no envelope under the name of another key with the same bytes', async () => {
    const key = sealingKey('k1');
    const sealed = await sealSecret('s3cret', key, BINDING);
    const store = sealedSecretStore({ keys: [{ ...key, id: 'k2' }] });
    const renamed = sealed.replace('v1.k1.', 'v1.k2.');
    expect(await reasonOf(store, { sealed: renamed })).toBe('credential_unavailable sealed_not_openable');
  });

  it('opens no envelope in which one character was changed', async () => {
    const key = sealingKey('k1');
    const sealed = await sealSecret('s3cret', key, BINDING);
    const store = sealedSecretStore({ keys: [key] });
    for (let at = 'v1.k1.'.length; at < sealed.length; at++) {
      const char = sealed[at] === 'A' ? 'B' : 'A';
      const changed = sealed.slice(0, at) + char + sealed.slice(at + 1);
      expect(await reasonOf(store, { sealed: changed })).toMatch(/sealed_(malformed|not_openable)$/);
    }
  });

  it('names the kind of a reference that is not for it', async () => {
    const store = sealedSecretStore({ keys: [sealingKey('k1')] });
    expect(await reasonOf(store, { env: 'NAME' })).toBe('credential_unavailable secret_kind_env');
    expect(await reasonOf(store, { file: '/secret' })).toBe('credential_unavailable secret_kind_file');
  });

  it('answers an opened secret at once, and as the same object', async () => {
    const key = sealingKey('k1');
    const sealed = await sealSecret('s3cret', key, BINDING);
    const store = sealedSecretStore({ keys: [key] });
    const [first, second] = await Promise.all([store.open({ sealed }, BINDING), store.open({ sealed }, BINDING)]);
    expect(second).toBe(first);
    const third = store.open({ sealed }, BINDING);
    expect(isPromise(third)).toBe(false);
    expect(third).toBe(first);
  });

  it('looks at the binding of an opened secret, not at the object that held it', async () => {
    const key = sealingKey('k1');
    const sealed = await sealSecret('s3cret', key, BINDING);
    const store = sealedSecretStore({ keys: [key] });
    const binding = { ...BINDING, origins: [...BINDING.origins] };
    const opening = store.open({ sealed }, binding);
    binding.zoneId = 'other';
    binding.origins[0] = 'https://evil.example';
    await opening;
    expect(await reasonOf(store, { sealed }, binding)).toBe('credential_unavailable sealed_not_openable');
    expect(await reasonOf(store, { sealed }, BINDING)).toBe('opened');
  });

  it('keeps no more opened secrets than it may', async () => {
    const key = sealingKey('k1');
    const store = sealedSecretStore({ keys: [key], cacheEntries: 2 });
    const texts = await Promise.all(['a', 'b', 'c'].map((text) => sealSecret(text, key, BINDING)));
    for (const sealed of texts) await store.open({ sealed }, BINDING);
    const waits = texts.map((sealed) => isPromise(store.open({ sealed }, BINDING)));
    expect(waits).toEqual([true, false, false]);
  });

  it('refuses rings that cannot work, without a word of the key', () => {
    expect(() => sealedSecretStore({ keys: [] })).toThrow('keys is empty');
    const key = sealingKey('k1');
    expect(() => sealedSecretStore({ keys: [key, key] })).toThrow('two keys have the id k1');
    expect(() => sealedSecretStore({ keys: [{ ...key, id: 'a.b' }] })).toThrow('id is 1 to 64');
    const short = new Secret('c2hvcnQta2V5');
    const text = 'c2hvcnQta2V5' as unknown as Secret;
    for (const bad of [short, text, new Secret(`${key.key.reveal()}=`)]) {
      try {
        sealedSecretStore({ keys: [{ id: 'k1', key: bad }] });
        expect.fail('accepted');
      } catch (error) {
        expect(`${error}`).toContain('base64url of 32 bytes');
        expect(`${error}`).not.toContain('c2hvcnQ');
      }
    }
    expect(() => sealedSecretStore({ keys: [key], cache: 1 } as never)).toThrow('unknown option cache');
  });
});

describe('generateSealingKey', () => {
  it('makes another 256-bit key each time', () => {
    const keys = Array.from({ length: 20 }, () => generateSealingKey().reveal());
    expect(new Set(keys).size).toBe(20);
    for (const key of keys) expect(key).toMatch(/^[\w-]{43}$/);
  });
});
