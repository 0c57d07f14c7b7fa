import { describe, expect, it } from 'vitest';
import { REFUSALS_RECORDED_PER_SECOND, REFUSALS_RECORDED_PER_SECOND_IN_ALL, RefusalFlood } from './refusal-flood.js';

describe('RefusalFlood', () => {
  it('lets the first hundred of a peer and error through and counts the rest exactly', () => {
    const flood = new RefusalFlood();
    let recorded = 0;
    for (let index = 0; index < 1234; index++) if (flood.admit('192.0.2.1', 'invalid_token', 0)) recorded += 1;
    expect(recorded).toBe(REFUSALS_RECORDED_PER_SECOND);
    expect(flood.take()).toEqual([{ peer: '192.0.2.1', error: 'invalid_token', count: 1134 }]);
    expect(flood.take()).toEqual([]);
  });

  it('keeps peers and errors apart', () => {
    const flood = new RefusalFlood();
    for (let index = 0; index < 150; index++) {
      flood.admit('192.0.2.1', 'invalid_token', 0);
      flood.admit('192.0.2.1', 'missing_token', 0);
      flood.admit('192.0.2.2', 'missing_token', 0);
    }
    expect(flood.take().map(({ count }) => count)).toEqual([50, 50, 50]);
  });

  it('is due a second after the first refusal it counts', () => {
    const flood = new RefusalFlood();
    expect(flood.due(10_000)).toBe(false);
    flood.admit('192.0.2.1', 'invalid_token', 10_000);
    expect(flood.due(10_999)).toBe(false);
    expect(flood.due(11_000)).toBe(true);
  });

  it('records no more than a thousand a second of many peers together, and counts the rest exactly', () => {
    const flood = new RefusalFlood();
    let recorded = 0;
    for (let index = 0; index < 20_000; index++) if (flood.admit(`peer-${index}`, 'missing_token', 0)) recorded += 1;
    expect(recorded).toBe(REFUSALS_RECORDED_PER_SECOND_IN_ALL);
    expect(flood.take()).toEqual([{ peer: 'other', error: 'missing_token', count: 20_000 - recorded }]);
    expect(flood.admit('peer-1', 'missing_token', 1000)).toBe(true);
  });

  it('does not grow with the number of peers', () => {
    const flood = new RefusalFlood();
    let recorded = 0;
    for (let index = 0; index < 20_000; index++) {
      for (let again = 0; again < 2; again++) if (flood.admit(`peer-${index}`, 'invalid_token', 0)) recorded += 1;
    }
    const counts = flood.take();
    expect(counts.length).toBeLessThanOrEqual(4097);
    expect(counts.reduce((sum, { count }) => sum + count, recorded)).toBe(40_000);
  });
});
