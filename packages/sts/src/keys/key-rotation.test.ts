import { afterEach, describe, expect, it, vi } from 'vitest';
import { KeyRing } from './key-ring.js';
import { KeyRotation, ROTATION_INTERVAL_MS } from './key-rotation.js';
import { memorySigningKeyStore } from './signing-key.js';

afterEach(() => vi.useRealTimers());

async function world() {
  const time = { now: 1_800_000_000_000 };
  const store = memorySigningKeyStore();
  const now = () => time.now;
  const keys = await KeyRing.open({
    issuer: 'https://tokens.example',
    store,
    algorithm: 'ES256',
    overlapSeconds: 100,
    now,
  });
  const faults: unknown[] = [];
  const rotation = new KeyRotation({ keys, afterSeconds: 1_000, now, onFault: (cause) => faults.push(cause) });
  return { time, store, keys, faults, rotation };
}

describe('KeyRotation', () => {
  it('follows a key of the given age with another, and leaves a younger one alone', async () => {
    const { time, keys, rotation } = await world();
    await rotation.run();
    expect(keys.jwks().keys).toHaveLength(1);
    time.now += 999_000;
    await rotation.run();
    expect(keys.jwks().keys).toHaveLength(1);
    time.now += 1_000;
    await rotation.run();
    expect(keys.jwks().keys).toHaveLength(2);
    rotation.stop();
  });

  it('tells where the store does not take it, and tries again within the hour until it is stopped', async () => {
    vi.useFakeTimers();
    const { time, store, keys, faults, rotation } = await world();
    const { save } = store;
    store.save = () => Promise.reject(new Error('disk full'));
    time.now += 1_000_000;
    await rotation.run();
    expect(faults).toHaveLength(1);
    store.save = save;
    vi.advanceTimersByTime(ROTATION_INTERVAL_MS);
    vi.useRealTimers();
    await vi.waitFor(() => expect(keys.jwks().keys).toHaveLength(2), { timeout: 20_000 });
    rotation.stop();
  });
});
