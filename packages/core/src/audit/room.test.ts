import { describe, expect, it } from 'vitest';
import { Room } from './room.js';

describe('Room', () => {
  it('refuses a reservation that would not leave room for every record of it', () => {
    const room = new Room(8);
    for (let index = 0; index < 4; index++) expect(room.reserve(2)).toBe(true);
    expect(room.reserve(2)).toBe(false);
    room.release(2);
    expect(room.reserve(2)).toBe(true);
  });

  it('gives refusals a quarter and no more, so that a flood of them stops no good request', () => {
    const room = new Room(8);
    expect([1, 2, 3].map(() => room.reserveRefusal())).toEqual([true, true, false]);
    expect(room.reserve(2)).toBe(true);
    room.releaseRefusal();
    expect(room.reserveRefusal()).toBe(true);
  });

  it('is made with a sensible size only', () => {
    expect(() => new Room(7)).toThrow(TypeError);
    expect(() => new Room(Number.NaN)).toThrow(TypeError);
  });
});
