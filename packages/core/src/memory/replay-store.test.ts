import { describe, expect, it } from 'vitest';
import type { MandateUse } from '../authorize/replay-store.js';
import { CaracalError } from '../errors.js';
import { FixedClock } from './clock.fixture.js';
import { memoryReplayStore } from './replay-store.js';

function useOf(issuedAt: number, of: Partial<MandateUse> = {}): MandateUse {
  return { zoneId: 'default', issuer: 'https://issuer.example', jti: 'j', issuedAt, expiresAt: issuedAt + 900, ...of };
}

describe('memoryReplayStore', () => {
  it('knows of mandates from the second on in which it was made', () => {
    const clock = new FixedClock();
    const second = clock.wallMs / 1000;
    clock.advance(999);
    const store = memoryReplayStore({ clock });
    expect(store.use(useOf(second - 1, { jti: 'before' }))).toBe('before_store');
    expect(store.use(useOf(second))).toBe('first');
  });

  it('does not know of mandates an issuer whose clock is ahead may have issued before it was made', () => {
    const clock = new FixedClock();
    const second = clock.wallMs / 1000;
    const store = memoryReplayStore({ clock, clockSkewSeconds: 60 });
    expect(store.use(useOf(second + 59))).toBe('before_store');
    expect(store.use(useOf(second + 60))).toBe('first');
  });

  it('takes no mandate over a restart', () => {
    const clock = new FixedClock();
    const use = useOf(clock.wallMs / 1000);
    expect(memoryReplayStore({ clock }).use(use)).toBe('first');
    clock.advance(1_000);
    expect(memoryReplayStore({ clock }).use(use)).toBe('before_store');
  });

  it('remembers a use while the wall clock, which judges expiry, says the mandate lives', () => {
    const clock = new FixedClock();
    const store = memoryReplayStore({ clock });
    const use = useOf(clock.wallMs / 1000);
    expect(store.use(use)).toBe('first');
    // Two hours pass, and the wall clock was set back by as much.
    clock.monotonicMs += 7_200_000;
    expect(store.use(use)).toBe('replayed');
    // A step back of less than a minute right after expiry.
    clock.advance(900_000 + 30_000);
    expect(store.use(useOf(clock.wallMs / 1000, { jti: 'other' }))).toBe('first');
    clock.wallMs -= 31_000;
    expect(store.use(use)).toBe('replayed');
  });

  it('fails closed for times that are no numbers', () => {
    const store = memoryReplayStore();
    expect(store.use(useOf(Number.NaN))).toBe('before_store');
    const use = useOf(Math.ceil(Date.now() / 1000) + 10, { expiresAt: Number.NaN });
    expect(() => store.use(use)).toThrow('replay_unavailable: expiry_invalid');
  });

  it('says why it takes no more', async () => {
    const clock = new FixedClock();
    const store = memoryReplayStore({ clock, maxEntries: 1 });
    await store.use(useOf(clock.wallMs / 1000));
    try {
      await store.use(useOf(clock.wallMs / 1000, { jti: 'next' }));
      expect.fail('took one too many');
    } catch (error) {
      expect(error).toBeInstanceOf(CaracalError);
      expect(error).toMatchObject({ code: 'replay_unavailable', reason: 'store_full' });
    }
  });

  it('refuses options that are not in order', () => {
    expect(() => memoryReplayStore({ maxEntries: 0 })).toThrow('memoryReplayStore: maxEntries');
    expect(() => memoryReplayStore({ clockSkewSeconds: -1 })).toThrow('memoryReplayStore: clockSkewSeconds');
    expect(() => memoryReplayStore({ ttl: 1 } as never)).toThrow('memoryReplayStore: unknown option ttl');
  });
});
