import { describe, expect, it, vi } from 'vitest';
import { ask } from './ask.js';
import { Denial } from './errors.js';

describe('ask', () => {
  it('hands on a synchronous answer without a promise', () => {
    expect(ask('internal_error', 10, () => 'yes')).toBe('yes');
  });

  it('makes a throw a denial that keeps the cause for us', () => {
    const cause = new Error('connection to 10.0.0.1 failed');
    const denial = ask('directory_unavailable', 10, () => {
      throw cause;
    });
    expect(denial).toMatchObject({ code: 'directory_unavailable', reason: 'failed', members: { cause } });
  });

  it('makes a rejection a denial', async () => {
    await expect(ask('rate_limit_unavailable', 10, () => Promise.reject(new Error('down')))).resolves.toMatchObject({
      code: 'rate_limit_unavailable',
    });
  });

  it('does not wait longer than it may, and a late answer changes nothing', async () => {
    vi.useFakeTimers();
    try {
      const answer = ask(
        'authorizer_unavailable',
        1000,
        () => new Promise<string>((resolve) => setTimeout(resolve, 5000, 'late')),
      );
      await vi.advanceTimersByTimeAsync(1000);
      const denial = await answer;
      expect(denial).toBeInstanceOf(Denial);
      expect(denial).toMatchObject({ code: 'authorizer_unavailable', reason: 'timeout' });
      await vi.advanceTimersByTimeAsync(5000);
    } finally {
      vi.useRealTimers();
    }
  });
});
