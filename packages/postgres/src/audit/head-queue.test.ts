import { describe, expect, it } from 'vitest';
import { HeadQueue } from './head-queue.js';

const head = (seq: number, chain = 'c') => ({ chain, seq, hash: '', time: '', signature: '' });

describe('HeadQueue', () => {
  it('gives the latest head of what is stored, and none of what is not', () => {
    const queue = new HeadQueue();
    for (const seq of [3, 7, 12]) queue.add(head(seq));
    expect(queue.take('c', 2, 0)).toBeUndefined();
    expect(queue.take('c', 10, 0)?.seq).toBe(7);
    expect(queue.take('c', 20, 10_000)?.seq).toBe(12);
    expect(queue.take('c', 20, 20_000)).toBeUndefined();
    expect(queue.take('other', 20, 0)).toBeUndefined();
  });

  it('gives one in five seconds, and the last one at any time', () => {
    const queue = new HeadQueue();
    queue.add(head(1));
    expect(queue.take('c', 9, 1000)?.seq).toBe(1);
    queue.add(head(2));
    expect(queue.take('c', 9, 5999)).toBeUndefined();
    expect(queue.take('c', 9, 5999, true)?.seq).toBe(2);
  });

  it('does not grow without end while nothing is stored', () => {
    const queue = new HeadQueue();
    for (let seq = 1; seq <= 100_000; seq++) queue.add(head(seq));
    expect(queue.take('c', 50_000, 0)?.seq).toBeGreaterThan(49_000 - 1024);
  });
});
