import { describe, expect, it } from 'vitest';
import { deferred } from './mandate.fixture.js';
import { MAX_CONCURRENT_VERIFICATIONS, MAX_FAILURES_PER_SECOND, VerificationBudget } from './verification-budget.js';

describe('VerificationBudget', () => {
  it('refuses a peer that failed too often in this second, and no other', () => {
    const budget = new VerificationBudget();
    for (let i = 0; i < MAX_FAILURES_PER_SECOND; i++) {
      expect(budget.refuse('a', 500)).toBeUndefined();
      budget.failed('a', 500);
    }
    expect(budget.refuse('a', 1_499)).toMatchObject({ code: 'overloaded', reason: 'peer_failures' });
    expect(budget.refuse('b', 1_499)).toBeUndefined();
    expect(budget.refuse('a', 1_500)).toBeUndefined();
    budget.failed('a', 1_500);
    expect(budget.refuse('a', 1_500)).toBeUndefined();
  });

  it('counts a whole /64 of IPv6 as one peer, whose host has all of its addresses', () => {
    const budget = new VerificationBudget();
    for (let i = 0; i < MAX_FAILURES_PER_SECOND; i++) budget.failed(`2001:db8:0:1::${i.toString(16)}`, 500);
    expect(budget.refuse('2001:db8:0:1:ffff::1', 500)).toMatchObject({ reason: 'peer_failures' });
    expect(budget.refuse('2001:db8:0:2::1', 500)).toBeUndefined();
  });

  it('runs so many verifications at once, and the next in their turn', async () => {
    const budget = new VerificationBudget();
    const gates = Array.from({ length: MAX_CONCURRENT_VERIFICATIONS }, () => deferred<string>());
    const running = gates.map(({ promise }) => budget.run(() => promise));
    const order: string[] = [];
    const waiting = ['first', 'second'].map((name) =>
      budget.run(async () => {
        order.push(name);
        return name;
      }),
    );
    await Promise.resolve();
    expect(order).toEqual([]);
    for (const { resolve } of gates) resolve('done');
    expect(await Promise.all([...running, ...waiting])).toEqual([
      ...Array<string>(MAX_CONCURRENT_VERIFICATIONS).fill('done'),
      ...['first', 'second'],
    ]);
    expect(order).toEqual(['first', 'second']);
    expect(await budget.run(async () => 'again')).toBe('again');
  });

  it('gives the place back after a failure', async () => {
    const budget = new VerificationBudget();
    for (let i = 0; i <= MAX_CONCURRENT_VERIFICATIONS; i++) {
      await expect(budget.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    }
  });
});
