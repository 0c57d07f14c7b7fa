import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateWindow } from './rate-window.js';

const steps = fc.array(fc.oneof(fc.constant(0), fc.nat(50), fc.double({ min: 0, max: 400, noNaN: true })), {
  maxLength: 400,
});

/** Asks once after each step; answers the times of admission. */
function admissions(
  waits: readonly number[],
  requests: number,
  windowMs: number,
): { asked: number[]; admitted: number[] } {
  const window = new RateWindow();
  const asked: number[] = [];
  const admitted: number[] = [];
  let now = 0;
  for (const wait of waits) {
    now += wait;
    asked.push(now);
    if (window.admit(now, requests, windowMs) === 0) admitted.push(now);
  }
  return { asked, admitted };
}

describe('RateWindow', () => {
  it('is the exact sliding window up to 256 requests', () => {
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 1000 }),
        (waits, requests, windowMs) => {
          const { asked, admitted } = admissions(waits, requests, windowMs);
          const expected: number[] = [];
          for (const now of asked) {
            if (expected.filter((ms) => ms > now - windowMs).length < requests) expected.push(now);
          }
          expect(admitted).toEqual(expected);
        },
      ),
      { numRuns: 100, interruptAfterTimeLimit: 1500 },
    );
  });

  it('admits nothing uncounted where the end of the window is lost in rounding', () => {
    const window = new RateWindow();
    expect(window.admit(916.2630039925012, 1, 1000)).toBe(0);
    expect(window.admit(1916.2630039925011, 1, 1000)).toBeGreaterThan(0);
  });

  it('never admits more than it may in any window, above 256 requests too', () => {
    const waits = Array.from({ length: 6_000 }, (_, index) => (index % 7 === 0 ? 3 : 0.5));
    const { admitted } = admissions(waits, 300, 1_000);
    let oldest = 0;
    for (const [index, end] of admitted.entries()) {
      while ((admitted[oldest] ?? 0) <= end - 1_000) oldest++;
      expect(index - oldest + 1).toBeLessThanOrEqual(300);
    }
    // Some 5.1 s of a load well above the limit: what sharing entries costs is little.
    expect(admitted.length).toBeGreaterThan(1_450);
  });

  it('says how long to wait, and is right', () => {
    const window = new RateWindow();
    expect(window.admit(0, 2, 1_000)).toBe(0);
    expect(window.admit(400, 2, 1_000)).toBe(0);
    expect(window.admit(500, 2, 1_000)).toBe(500);
    expect(window.admit(999.5, 2, 1_000)).toBe(0.5);
    expect(window.admit(1_000, 2, 1_000)).toBe(0);
    expect(window.admit(1_000, 2, 1_000)).toBe(400);
  });

  it('waits for as many to leave as a lowered limit needs', () => {
    const window = new RateWindow();
    for (const now of [0, 100, 200]) window.admit(now, 3, 1_000);
    expect(window.admit(300, 1, 1_000)).toBe(900);
    expect(window.admit(300, 0, 1_000)).toBe(1_000);
  });

  it('is idle when its window has passed', () => {
    const window = new RateWindow();
    window.admit(0, 1, 1_000);
    expect(window.isIdle(999)).toBe(false);
    expect(window.isIdle(1_000)).toBe(true);
  });
});
