import { type ConnectionKey, generateSealingKey, memoryConnectionStore, type SealingKey } from '@caracal/core';
import { connectLinks, oauth2AuthorizationCode } from '@caracal/oauth';
import { describe, expect, it } from 'vitest';
import type { LogEntry } from '../log/log.js';
import { Resealing } from './resealing.js';

const [OLD, NEW] = ['old', 'new'].map((id) => ({ id, key: generateSealingKey() })) as [SealingKey, SealingKey];
const store = memoryConnectionStore();
const keyOf = (index: number): ConnectionKey => ({
  zoneId: 'default',
  providerId: 'provider://files',
  owner: { issuer: 'https://id.example', subject: `${index}` },
});

function providerWith(...sealing: SealingKey[]) {
  return oauth2AuthorizationCode({
    id: 'provider://files',
    origins: ['https://files.example'],
    authorizationEndpoint: 'https://login.example/authorize',
    tokenEndpoint: 'https://login.example/token',
    clientId: 'gateway',
    clientAuthentication: 'none',
    connections: store,
    connect: connectLinks({ publicUrl: 'https://tokens.example', sealing }),
    sealing,
    outbound: { fetch: () => Promise.reject(new TypeError('nothing is asked')) },
  });
}

async function filled(count: number): Promise<void> {
  const { connections } = providerWith(OLD).connectable;
  const tokens = { accessToken: 'a', refreshToken: 'r', expiresAtMs: undefined, scope: undefined };
  for (let index = 0; index < count; index++) {
    await connections.connect(keyOf(index), { ...tokens, obtainedAtMs: Date.now() });
  }
}

const taskOf = (...ring: SealingKey[]) => ({ keyIds: ring.map(({ id }) => id), connectable: [providerWith(...ring)] });

describe('sealing anew', () => {
  it('tries again what failed, tells of its begin, its end and its failures, and seals everything once', async () => {
    await filled(100);
    const logged: LogEntry[] = [];
    let away = 2;
    const flaky = {
      ...store,
      keys: () => {
        if (away-- > 0) throw new RangeError('secret text of a driver');
        return store.keys();
      },
    };
    const resealing = new Resealing(flaky, (entry) => logged.push(entry), 1);
    resealing.begin(taskOf(NEW, OLD));
    resealing.begin(taskOf(NEW, OLD)); // as a reload that changes something else does
    await expect.poll(() => logged.at(-1)?.event).toBe('resealing_ended');
    expect(logged.map(({ event }) => event)).toEqual([
      ...['resealing_began', 'resealing_failed', 'resealing_began', 'resealing_failed'],
      ...['resealing_began', 'resealing_ended'],
    ]);
    expect(logged[1]).toMatchObject({ level: 'warn', cause: 'RangeError' });
    expect(logged.at(-1)).toMatchObject({ level: 'info', key: 'new', resealed: 100, failed: 0 });
    expect(JSON.stringify(logged)).not.toContain('secret text');
    for (let index = 0; index < 100; index++) {
      expect((await store.get(keyOf(index)))?.sealed.split('.')[1]).toBe('new');
    }
    await resealing.close();
  });

  it('does nothing where the ring has one key, and ends when the server does', async () => {
    const logged: LogEntry[] = [];
    const endless = { ...store, keys: () => endlessKeys() };
    const resealing = new Resealing(endless, (entry) => logged.push(entry), 1);
    resealing.begin(taskOf(NEW));
    expect(logged).toEqual([]);
    resealing.begin(taskOf(OLD, NEW));
    await expect.poll(() => logged.length).toBe(1);
    await resealing.close();
    resealing.begin(taskOf(NEW, OLD));
    expect(logged.map(({ event }) => event)).toEqual(['resealing_began']);
  });
});

async function* endlessKeys(): AsyncGenerator<ConnectionKey> {
  for (;;) yield keyOf(0);
}
