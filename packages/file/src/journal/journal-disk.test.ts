import { describe, expect, it } from 'vitest';
import {
  adaptiveDisk,
  BESIDE_TIMES,
  type JournalDisk,
  nodeDisk,
  SLOW_BESIDE_MS,
  SLOW_WRITE_MS,
} from './journal-disk.js';

function tried() {
  const ways: string[] = [];
  const state = { now: 0, takes: 0 };
  const take = (way: string) => {
    ways.push(way);
    state.now += state.takes;
    return 1;
  };
  const beside: JournalDisk = { ...nodeDisk, write: async () => take('beside') };
  const disk = adaptiveDisk({ monotonic: () => state.now, direct: () => take('direct'), beside });
  return { ways, state, write: () => disk.write(3, new Uint8Array(1), 0) };
}

describe('adaptiveDisk', () => {
  it('writes on the event loop while that is quick', () => {
    const { ways, write } = tried();
    expect([write(), write()]).toEqual([1, 1]);
    expect(ways).toEqual(['direct', 'direct']);
  });

  it('leaves the event loop after a slow write, the longer the slower it was, and comes back', async () => {
    const { ways, state, write } = tried();
    state.takes = SLOW_WRITE_MS + 1;
    await write();
    state.takes = 0;
    state.now += BESIDE_TIMES * (SLOW_WRITE_MS + 1) - 1;
    await write();
    state.now += 1;
    await write();
    expect(ways).toEqual(['direct', 'beside', 'direct']);
  });

  it('stays away from it while writes are slow beside it, which waiting for a thread does not make them', async () => {
    const { ways, state, write } = tried();
    state.takes = SLOW_WRITE_MS + 1;
    await write();
    state.takes = SLOW_BESIDE_MS + 1;
    await write();
    state.now += BESIDE_TIMES * SLOW_BESIDE_MS;
    state.takes = SLOW_BESIDE_MS;
    await write();
    state.takes = 0;
    await write();
    expect(ways).toEqual(['direct', 'beside', 'beside', 'direct']);
  });

  it('passes faults on, whichever way was taken', async () => {
    const fault = new Error('full');
    let now = 0;
    const disk = adaptiveDisk({
      monotonic: () => {
        now += SLOW_WRITE_MS + 1;
        return now;
      },
      direct: () => {
        throw fault;
      },
      beside: { ...nodeDisk, write: () => Promise.reject(fault) },
    });
    expect(() => disk.write(3, new Uint8Array(1), 0)).toThrow(fault);
    await expect(disk.write(3, new Uint8Array(1), 0)).rejects.toBe(fault);
  });
});
