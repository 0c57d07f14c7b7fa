import { Denial } from '@caracal/core';
import { describe, expect, it } from 'vitest';
import { MAX_WAITING, Waiting } from './waiting.js';

describe('those who wait for a token', () => {
  it('leave with their callers: their places are free before the work ends', async () => {
    const waiting = new Waiting();
    const callers = Array.from({ length: 50 }, () => new AbortController());
    const work = new Promise<string>(() => {});
    const waits = callers.map((caller) => waiting.for(work, caller));
    expect(waiting.count).toBe(50);
    for (const caller of callers.slice(0, 30)) caller.abort();
    expect(waiting.count).toBe(20);
    for (const caller of callers) caller.abort();
    expect(waiting.count).toBe(0);
    for (const outcome of await Promise.all(waits)) expect(outcome).toMatchObject({ reason: 'caller_left' });
  });

  it('do not begin to where the caller has left already', async () => {
    const waiting = new Waiting();
    const outcome = await waiting.for(new Promise(() => {}), { signal: AbortSignal.abort() });
    expect(outcome).toMatchObject({ code: 'credential_unavailable', reason: 'caller_left' });
    expect(waiting.count).toBe(0);
  });

  it('are bounded, and listen to nobody once they have their answer', async () => {
    const waiting = new Waiting();
    let answer!: (text: string) => void;
    const work = new Promise<string>((resolve) => {
      answer = resolve;
    });
    const caller = new AbortController();
    const waits = Array.from({ length: MAX_WAITING }, () => waiting.for(work, undefined));
    const refused = await waiting.for(work, caller);
    expect(refused instanceof Denial && refused.reason).toBe('token_waiters_full');
    answer('token');
    expect(new Set(await Promise.all(waits))).toEqual(new Set(['token']));
    expect(waiting.count).toBe(0);
    const last = waiting.for(work, caller);
    expect(await last).toBe('token');
    caller.abort();
    expect(waiting.count).toBe(0);
  });
});
