import { describe, expect, it } from 'vitest';
import { GuessBudget, MAX_CONCURRENT_GUESSES, MAX_WAITING_GUESSES, MAX_WAITING_PER_PEER } from './guess-budget.js';

function world() {
  const budget = new GuessBudget();
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const guess = (peer: string) =>
    budget.run(peer, () => {
      started.push(peer);
      return new Promise<string>((resolve) => ends.push(() => resolve(peer)));
    });
  const settle = async () => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  const endNext = async () => {
    ends.shift()?.();
    await settle();
  };
  return { guess, started, ends, settle, endNext };
}

describe('GuessBudget', () => {
  it('runs a bounded number at once', async () => {
    const { guess, started, settle, endNext } = world();
    for (let index = 0; index < MAX_CONCURRENT_GUESSES + 2; index++) void guess('a');
    await settle();
    expect(started).toHaveLength(MAX_CONCURRENT_GUESSES);
    await endNext();
    expect(started).toHaveLength(MAX_CONCURRENT_GUESSES + 1);
  });

  it('refuses a peer that has too many waiting, and no other', async () => {
    const { guess, settle } = world();
    for (let index = 0; index < MAX_CONCURRENT_GUESSES + MAX_WAITING_PER_PEER; index++) void guess('stranger');
    await settle();
    await expect(guess('stranger')).resolves.toBeUndefined();
    const other = guess('other');
    await settle();
    await expect(Promise.race([other, Promise.resolve('waits')])).resolves.toBe('waits');
  });

  it('lets peers take turns', async () => {
    const { guess, started, settle, endNext } = world();
    for (let index = 0; index < MAX_CONCURRENT_GUESSES + 3; index++) void guess('stranger');
    void guess('other');
    await settle();
    await endNext();
    await endNext();
    expect(started.slice(MAX_CONCURRENT_GUESSES)).toEqual(['stranger', 'other']);
  });

  it('makes room for a newcomer at the cost of the peer that has most waiting', async () => {
    const { guess, settle } = world();
    for (let index = 0; index < MAX_CONCURRENT_GUESSES; index++) void guess('first');
    const last: Promise<string | undefined>[] = [];
    for (let peer = 0; peer < MAX_WAITING_GUESSES / MAX_WAITING_PER_PEER; peer++) {
      for (let index = 0; index < MAX_WAITING_PER_PEER; index++) last.push(guess(`peer${peer}`));
    }
    await settle();
    void guess('newcomer');
    await expect(last[MAX_WAITING_PER_PEER - 1]).resolves.toBeUndefined();
  });

  it('is free again when all have ended, also those that failed', async () => {
    const budget = new GuessBudget();
    const failing = () => Promise.reject(new Error('no memory'));
    for (let index = 0; index < 5; index++) await expect(budget.run('a', failing)).rejects.toThrow('no memory');
    await expect(budget.run('a', async () => 'done')).resolves.toBe('done');
  });
});
