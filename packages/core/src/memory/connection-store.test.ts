import { describe, expect, it } from 'vitest';
import { memoryConnectionStore } from './connection-store.js';

const KEY = { zoneId: 'default', providerId: 'provider://api', owner: 'shared' } as const;

describe('memoryConnectionStore', () => {
  it('keeps a copy that nobody can change', async () => {
    const store = memoryConnectionStore();
    const content = { id: 'account', sealed: 'text' };
    const change = await store.put(KEY, undefined, content);
    content.sealed = 'changed';
    expect((await store.get(KEY))?.sealed).toBe('text');
    expect(change !== 'conflict' && Object.isFrozen(change.connection)).toBe(true);
  });

  it('says why it takes no more', async () => {
    const store = memoryConnectionStore({ maxEntries: 1 });
    await store.put(KEY, undefined, { id: 'a', sealed: 'text' });
    expect(() => store.put({ ...KEY, zoneId: 'other' }, undefined, { id: 'b', sealed: 'text' })).toThrow(
      'credential_unavailable: connection_store_full',
    );
  });

  it('refuses options that are not in order', () => {
    expect(() => memoryConnectionStore({ maxEntries: 0 })).toThrow('memoryConnectionStore: maxEntries');
  });
});
