import assert from 'node:assert/strict';
import type { Secret, SecretBinding, SecretReference, SecretStore } from '@caracal/core';
import { AMBIGUOUS_PAIRS, HOSTILE_IDENTIFIERS } from './hostile-texts.js';
import { type PortCase, portCase } from './port-case.js';

/** A store of secrets that are bound to their place, and a way to put one in. */
export interface FillableSecretStore extends SecretStore {
  /** Makes a secret with this text available, for this binding alone. */
  place(text: string, binding: SecretBinding): Promise<SecretReference>;
}

const BINDING: SecretBinding = Object.freeze({
  zoneId: 'default',
  providerId: 'provider://api',
  field: 'secret',
  origins: Object.freeze(['https://api.example', 'https://b.example']),
});

async function opened(store: FillableSecretStore, reference: SecretReference, binding: SecretBinding): Promise<Secret> {
  return store.open(reference, binding);
}

/** What every {@link SecretStore} has to do that binds secrets to their place. */
export const secretStoreCases: readonly PortCase<FillableSecretStore>[] = [
  portCase('opens what was placed, whatever its text', async ({ store }) => {
    for (const text of HOSTILE_IDENTIFIERS) {
      const reference = await store.place(text, BINDING);
      assert.equal((await opened(store, reference, BINDING)).reveal(), text);
    }
  }),

  portCase('opens for no other zone, provider, field or origins, before and after it was opened', async ({ store }) => {
    const reference = await store.place('s3cret', BINDING);
    const others: SecretBinding[] = [
      { ...BINDING, zoneId: 'other' },
      { ...BINDING, providerId: 'provider://other' },
      { ...BINDING, field: 'clientSecret' },
      { ...BINDING, origins: ['https://api.example'] },
      { ...BINDING, origins: ['https://api.example', 'https://evil.example'] },
      { ...BINDING, origins: [] },
    ];
    for (const other of others) await assert.rejects(opened(store, reference, other));
    assert.equal((await opened(store, reference, BINDING)).reveal(), 's3cret');
    for (const other of others) await assert.rejects(opened(store, reference, other));
    assert.equal((await opened(store, reference, BINDING)).reveal(), 's3cret');
  }),

  portCase('does not mix up parts of the binding that are equal once they are joined', async ({ store }) => {
    for (let i = 0; i + 1 < AMBIGUOUS_PAIRS.length; i += 2) {
      const [zoneId, providerId] = AMBIGUOUS_PAIRS[i] ?? ['', ''];
      const [otherZone, otherProvider] = AMBIGUOUS_PAIRS[i + 1] ?? ['', ''];
      const reference = await store.place('s3cret', { ...BINDING, zoneId, providerId });
      await assert.rejects(opened(store, reference, { ...BINDING, zoneId: otherZone, providerId: otherProvider }));
    }
  }),

  portCase('opens one secret concurrently for everybody', async ({ store }) => {
    const reference = await store.place('s3cret', BINDING);
    const secrets = await Promise.all(Array.from({ length: 20 }, () => opened(store, reference, BINDING)));
    for (const secret of secrets) assert.equal(secret.reveal(), 's3cret');
  }),

  portCase('shows a secret in no text, and says nothing of it in an error', async ({ store }) => {
    const reference = await store.place('s3cret-text', BINDING);
    const secret = await opened(store, reference, BINDING);
    assert(!`${secret} ${JSON.stringify({ secret })}`.includes('s3cret-text'));
    const error = await opened(store, reference, { ...BINDING, zoneId: 'other' }).catch((cause: unknown) => cause);
    assert(error instanceof Error);
    assert(!`${error.message} ${error.stack}`.includes('s3cret-text'));
  }),

  portCase('rejects a reference it does not know', async ({ store }) => {
    await assert.rejects(opened(store, { sealed: 'nothing' }, BINDING));
    await assert.rejects(opened(store, {} as SecretReference, BINDING));
  }),
];
