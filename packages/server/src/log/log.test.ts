import { describe, expect, it } from 'vitest';
import { faultLog } from './fault-log.js';
import { type LogEntry, ndjsonLog } from './log.js';

describe('ndjsonLog', () => {
  it('writes one line of JSON, whatever stands in a field', () => {
    let written = '';
    const output = {
      write: (text: string) => {
        written += text;
      },
    };
    ndjsonLog(
      output,
      () => 0,
    )({ level: 'warn', event: 'a', text: 'x\n\u001b[31m\u202e\ud800', long: 'y'.repeat(5_000) });
    expect(written.endsWith('\n') && written.split('\n').length === 2).toBe(true);
    expect(written).not.toMatch(/[\u001b\u202e]/);
    const { time, long } = JSON.parse(written);
    expect([time, long.length]).toEqual(['1970-01-01T00:00:00.000Z', 1_024]);
  });
});

describe('faultLog', () => {
  it('tells a bounded number a second, how many were left out, and of a cause its name alone', () => {
    const entries: LogEntry[] = [];
    let now = 0;
    const tell = faultLog(
      (entry) => entries.push(entry),
      'fault',
      () => now,
    );
    const cause = Object.assign(new RangeError('https://user:hunter2@host'), { code: 'ECONNREFUSED' });
    for (let count = 0; count < 100; count++) tell({ requestId: 'r', reason: 'x', cause }, 'internal_error');
    expect(entries).toHaveLength(10);
    now = 1_000;
    tell({ requestId: undefined, reason: 'x', cause: undefined }, 'internal_error');
    expect(entries.at(-1)).toMatchObject({ omitted: 90 });
    expect(entries[0]).toMatchObject({ event: 'fault', cause: 'RangeError ECONNREFUSED' });
    expect(JSON.stringify(entries)).not.toContain('hunter2');
  });
});
