import type { AuditRecord } from '@caracal/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { record } from './journal.fixture.js';
import { serializeRecord } from './serialize-record.js';

const parsed = (facts: Partial<AuditRecord>) => JSON.parse(`{${serializeRecord(record(1, facts))}}`) as AuditRecord;

describe('serializeRecord', () => {
  it('says the same as JSON for any text, number and list', () => {
    const text = fc.string({ unit: 'binary', maxLength: 60 });
    const facts = fc.record(
      {
        subject: text,
        path: text,
        policies: fc.array(text, { maxLength: 4 }),
        durationMs: fc.double(),
        count: fc.option(fc.nat(), { nil: undefined }),
        upstream: fc.record({ host: text, status: fc.option(fc.nat(999), { nil: undefined }) }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(facts, (some) => {
        expect(parsed(some as Partial<AuditRecord>)).toEqual(JSON.parse(JSON.stringify(record(1, some))));
      }),
      { numRuns: 100 },
    );
  });

  it('is one line, whatever a field holds', () => {
    const line = serializeRecord(record(1, { reason: 'a\n"b\\\u0000\u2028\u202e\u007f\ud800' }));
    expect(line).toMatch(/^[ -~]*$/);
    expect(JSON.parse(`{${line}}`).reason).toBe('a\n"b\\\u0000\u2028\u202e\u007f\ud800');
  });

  it('leaves out what is undefined and never writes a number that JSON has not', () => {
    const line = serializeRecord(record(1, { durationMs: Number.NaN, firstByteMs: undefined, attempts: 0 }));
    expect(line).not.toContain('firstByteMs');
    expect(JSON.parse(`{${line}}`)).toMatchObject({ durationMs: null, attempts: 0 });
  });

  it('begins with id, type and time', () => {
    expect(serializeRecord(record(7))).toMatch(/^"id":"id-7","type":"request.authorized","time":"/);
  });
});
