import { describe, expect, it } from 'vitest';
import { FixedClock } from './clock.fixture.js';
import { memoryRateLimiter } from './rate-limiter.js';

const KEY = { zoneId: 'default', issuer: 'https://issuer.example', applicationId: 'agent', resource: 'resource://api' };

describe('memoryRateLimiter', () => {
  it('names whole seconds, rounded up, at least one', async () => {
    const clock = new FixedClock();
    const limiter = memoryRateLimiter({ clock });
    await limiter.consume(KEY, { requests: 1, windowSeconds: 10 });
    clock.advance(500);
    expect(limiter.consume(KEY, { requests: 1, windowSeconds: 10 })).toEqual({ allowed: false, retryAfterSeconds: 10 });
    clock.advance(9_499);
    expect(limiter.consume(KEY, { requests: 1, windowSeconds: 10 })).toEqual({ allowed: false, retryAfterSeconds: 1 });
    clock.advance(1);
    expect(limiter.consume(KEY, { requests: 1, windowSeconds: 10 })).toEqual({ allowed: true });
  });

  it('goes by the monotonic clock', async () => {
    const clock = new FixedClock();
    const limiter = memoryRateLimiter({ clock });
    await limiter.consume(KEY, { requests: 1, windowSeconds: 10 });
    clock.wallMs += 3_600_000;
    expect(limiter.consume(KEY, { requests: 1, windowSeconds: 10 })).toMatchObject({ allowed: false });
  });

  it('says why it takes no other key, and looks for idle ones at most once a second', async () => {
    const clock = new FixedClock();
    const limiter = memoryRateLimiter({ clock, maxKeys: 1 });
    const other = { ...KEY, applicationId: 'other' };
    await limiter.consume(KEY, { requests: 1, windowSeconds: 1 });
    clock.advance(999);
    expect(() => limiter.consume(other, { requests: 1, windowSeconds: 1 })).toThrow(
      'rate_limit_unavailable: store_full',
    );
    clock.advance(1);
    expect(() => limiter.consume(other, { requests: 1, windowSeconds: 1 })).toThrow(
      'rate_limit_unavailable: store_full',
    );
    clock.advance(999);
    expect(limiter.consume(other, { requests: 1, windowSeconds: 1 })).toEqual({ allowed: true });
  });

  it('refuses options that are not in order', () => {
    expect(() => memoryRateLimiter({ maxKeys: 1.5 })).toThrow('memoryRateLimiter: maxKeys');
    expect(() => memoryRateLimiter({ max: 1 } as never)).toThrow('memoryRateLimiter: unknown option max');
  });
});
