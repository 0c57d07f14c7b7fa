import { describe, expect, it } from 'vitest';
import type { CachedToken, TokenKey } from '../attach/token-cache.js';
import { FixedClock } from './clock.fixture.js';
import { memoryTokenCache } from './token-cache.js';

const key = (name: string): TokenKey => ({ zoneId: 'default', providerId: 'provider://api', qualifiers: [name] });

function token(clock: FixedClock, of: Partial<CachedToken> = {}): CachedToken {
  return { value: 't', obtainedAtMs: clock.wallMs, expiresAtMs: clock.wallMs + 60_000, afterRefusal: false, ...of };
}

describe('memoryTokenCache', () => {
  it('forgets the token used least recently when it is full', async () => {
    const clock = new FixedClock();
    const cache = memoryTokenCache({ clock, maxEntries: 2 });
    for (const name of ['a', 'b', 'c']) {
      await cache.claimRefresh(key(name), 'me', 1_000);
      await cache.finishRefresh(key(name), 'me', token(clock));
      if (name === 'b') await cache.get(key('a'));
    }
    expect(['a', 'b', 'c'].filter((name) => cache.get(key(name)) !== undefined)).toEqual(['a', 'c']);
  });

  it('drops claims whose time has passed before it refuses one', async () => {
    const clock = new FixedClock();
    const cache = memoryTokenCache({ clock, maxEntries: 1 });
    await cache.claimRefresh(key('a'), 'me', 1_000);
    expect(() => cache.claimRefresh(key('b'), 'me', 1_000)).toThrow('credential_unavailable: token_cache_full');
    clock.advance(1_000);
    expect(cache.claimRefresh(key('b'), 'me', 1_000)).toBe(true);
  });

  it('times claims by the monotonic clock and tokens by the wall clock', async () => {
    const clock = new FixedClock();
    const cache = memoryTokenCache({ clock });
    await cache.claimRefresh(key('a'), 'me', 1_000);
    clock.wallMs += 3_600_000;
    expect(cache.claimRefresh(key('a'), 'other', 1_000)).toBe(false);
    expect(cache.finishRefresh(key('a'), 'me', token(clock))).toBe(true);
    clock.monotonicMs += 3_600_000;
    expect(cache.get(key('a'))).toBeDefined();
    clock.wallMs += 60_000;
    expect(cache.get(key('a'))).toBeUndefined();
  });

  it('answers no token of unknown life', async () => {
    const clock = new FixedClock();
    const cache = memoryTokenCache({ clock });
    await cache.claimRefresh(key('a'), 'me', 1_000);
    await cache.finishRefresh(key('a'), 'me', token(clock, { expiresAtMs: Number.NaN }));
    expect(cache.get(key('a'))).toBeUndefined();
  });

  it('refuses a lease without an end', () => {
    const cache = memoryTokenCache();
    for (const leaseMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => cache.claimRefresh(key('a'), 'me', leaseMs)).toThrow(TypeError);
    }
  });
});
