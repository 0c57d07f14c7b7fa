import { describe, expect, it } from 'vitest';
import { sealSecret } from './seal.js';
import { sealedSecretStore } from './sealed-secret-store.js';
import { generateSealingKey } from './sealing-key.js';
import { type KeyWrapper, unwrapSealingKey, wrapSealingKey } from './wrapped-key.js';

/** A key management service with one AES key. */
async function keyService(): Promise<KeyWrapper> {
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  const iv = new Uint8Array(12);
  return async (operation, bytes) => {
    const [run, input] = [operation === 'wrap' ? 'encrypt' : 'decrypt', new Uint8Array(bytes)] as const;
    return new Uint8Array(await crypto.subtle[run]({ name: 'AES-GCM', iv }, key, input));
  };
}

describe('a sealing key kept by a key management service', () => {
  const binding = { zoneId: 'default', providerId: 'p', field: 'secret', origins: [] };

  it('opens what it sealed once it is unwrapped', async () => {
    const service = await keyService();
    const key = { id: 'k1', key: generateSealingKey() };
    const wrapped = await wrapSealingKey(key, service);
    expect(wrapped.wrapped).not.toContain(key.key.reveal());
    const store = sealedSecretStore({ keys: [await unwrapSealingKey(wrapped, service)] });
    const opened = await store.open({ sealed: await sealSecret('canary', key, binding) }, binding);
    expect(opened.reveal()).toBe('canary');
  });

  it('fails cleanly with another service, changed bytes, or a service that answers nonsense', async () => {
    const wrapped = await wrapSealingKey({ id: 'k1', key: generateSealingKey() }, await keyService());
    const fails = { code: 'credential_unavailable', reason: 'sealing_key_not_unwrapped' };
    await expect(unwrapSealingKey(wrapped, await keyService())).rejects.toMatchObject(fails);
    await expect(unwrapSealingKey({ ...wrapped, wrapped: '!' }, await keyService())).rejects.toMatchObject(fails);
    await expect(unwrapSealingKey(wrapped, async () => new Uint8Array(16))).rejects.toMatchObject(fails);
  });
});
