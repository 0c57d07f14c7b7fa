import { describe, expect, it } from 'vitest';
import { type Pace, restMs } from './shipping-pace.js';

const rest = (pace: Partial<Pace>) =>
  Math.round(restMs({ tookMs: 100, sharePercent: 50, utilization: 0.5, ageMs: 500, ...pace }));

describe('restMs', () => {
  it('leaves storing its share of the time', () => {
    expect(rest({})).toBe(100);
    expect(rest({ sharePercent: 25 })).toBe(300);
    expect(rest({ sharePercent: 100 })).toBe(0);
  });

  it('leaves it less where the event loop is busy, and always some of it', () => {
    expect(rest({ utilization: 0.7 })).toBe(100);
    expect(rest({ utilization: 0.85 })).toBe(300);
    expect(rest({ utilization: 1 })).toBe(1900);
  });

  it('rests less the older the evidence is, and at last not', () => {
    expect(rest({ ageMs: 10_000 })).toBe(100);
    expect(rest({ ageMs: 35_000 })).toBe(50);
    expect(rest({ ageMs: 60_000, utilization: 1 })).toBe(0);
    expect(rest({ ageMs: 3_600_000 })).toBe(0);
  });

  it('rests no longer than four seconds, however long PostgreSQL was away, and not longer for a clock set back', () => {
    expect(rest({ tookMs: 3_600_000, sharePercent: 1 })).toBe(4000);
    expect(rest({ ageMs: -3_600_000 })).toBe(100);
  });
});
