import { describe, expect, it } from 'vitest';
import { ExpirySchedule } from './expiry-schedule.js';

describe('ExpirySchedule', () => {
  it('gives out each item once, and never before its time', () => {
    const schedule = new ExpirySchedule<string>();
    schedule.add(10_001, 'b');
    schedule.add(9_000, 'a');
    schedule.add(20_000, 'c');
    expect(schedule.due(8_999)).toEqual([]);
    expect(schedule.due(10_000)).toEqual(['a']);
    expect(schedule.due(10_999)).toEqual([]);
    expect(schedule.due(11_000)).toEqual(['b']);
    expect(schedule.due(1_000_000)).toEqual(['c']);
    expect(schedule.due(2_000_000)).toEqual([]);
  });

  it('gives out nothing early when the clock was set back', () => {
    const schedule = new ExpirySchedule<string>();
    expect(schedule.due(100_000)).toEqual([]);
    schedule.add(60_000, 'a');
    expect(schedule.due(50_000)).toEqual([]);
    expect(schedule.due(60_000)).toEqual(['a']);
  });
});
