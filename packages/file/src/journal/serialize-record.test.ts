import type { AuditRecord } from '@caracal/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { record } from './journal.fixture.js';
import { serializeRecord } from './serialize-record.js';

const serialized = (facts: Partial<AuditRecord>) => Buffer.from(serializeRecord(record(1, facts))).toString();
const parsed = (facts: Partial<AuditRecord>) => JSON.parse(`{${serialized(facts)}}`) as AuditRecord;

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

  it('never takes one principal for another, even where a second issuer repeats a jti', () => {
    const facts = [
      { issuer: 'https://a' },
      { issuer: 'https://b' },
      { subject: 'x' },
      { hopCount: 1 },
      {},
      { issuer: 'https://a' },
    ];
    for (const some of [...facts, ...facts])
      expect(parsed({ ...some, jti: 'same' })).toMatchObject({ ...some, jti: 'same' });
    expect(parsed({ jti: 'same' })).not.toHaveProperty('hopCount');
  });

  it('is one line, whatever a field holds', () => {
    const line = serialized({ reason: 'a\n"b\\\u0000\u2028\u202e\u007f\ud800' });
    expect(line).toMatch(/^[ -~]*$/);
    expect(JSON.parse(`{${line}}`).reason).toBe('a\n"b\\\u0000\u2028\u202e\u007f\ud800');
  });

  it('leaves out what is undefined and never writes a number that JSON has not', () => {
    const line = serialized({ durationMs: Number.NaN, firstByteMs: undefined, attempts: 0 });
    expect(line).not.toContain('firstByteMs');
    expect(JSON.parse(`{${line}}`)).toMatchObject({ durationMs: null, attempts: 0 });
  });

  it('begins with id, type and time', () => {
    expect(serialized({ id: 'id-7' })).toMatch(/^"id":"id-7","type":"request.authorized","time":"/);
  });

  it('writes every field there is, in the order of the line', () => {
    const every: { [Field in keyof AuditRecord]-?: NonNullable<AuditRecord[Field]> } = {
      ...{ id: 'a', type: 'request.completed', time: 'b', bootId: 'c', gatewayId: 'd', requestId: 'e' },
      ...{ clientRequestId: 'f', traceId: 'g', peer: 'h', zoneId: 'i', issuer: 'j', applicationId: 'k', subject: 'l' },
      ...{ subjectType: 'm', sessionId: 'n', rootSessionId: 'o', agentSessionId: 'p', delegationPath: ['q', 'r'] },
      ...{ delegationChain: [{ applicationId: 's', agentSessionId: 't' }], hopCount: 2, jti: 'u', resource: 'v' },
      ...{ operation: { method: 'GET', template: '/w', name: 'x' }, path: '/y', decision: 'allowed' },
      ...{ error: 'internal_error', reason: 'z', policies: ['1'] },
      ...{ provider: { id: '2', kind: 'api_key', connection: '3' }, upstream: { host: '4', status: 200 } },
      ...{ status: 201, requestBytes: 5, responseBytes: 6, durationMs: 7.125, firstByteMs: 0.5, attempts: 1 },
      ...{ outcome: 'executed', use: 'gateway', targets: ['8'], scopes: ['9'], requester: '10' },
      ...{ initiator: 'person', count: 11 },
    };
    expect(`{${Buffer.from(serializeRecord(every))}}`).toBe(JSON.stringify(every));
  });

  it('writes numbers as JSON does', () => {
    const whole = fc.nat(3_000_000);
    const numbers = fc.oneof(
      whole,
      whole.map((thousandths) => thousandths / 1000),
      fc.integer(),
      fc.double(),
    );
    const exact = [
      0,
      -0,
      0.001,
      0.01,
      0.1,
      1,
      9,
      10,
      99.999,
      100.1,
      2_147_483.647,
      2_147_483.648,
      2 ** 53,
      1e21,
      -1.5,
      1e-7,
    ];
    fc.assert(
      fc.property(numbers, (durationMs) => {
        expect(serialized({ durationMs }).endsWith(`,"durationMs":${JSON.stringify(durationMs)}`)).toBe(true);
      }),
      { numRuns: 2000, examples: exact.map((number) => [number]) },
    );
  });

  it('takes what its type does not allow for what it is', () => {
    const wrong = { subject: 5, status: '"', hopCount: '1', provider: { id: ['a'], kind: undefined } };
    expect(parsed(wrong as unknown as AuditRecord)).toMatchObject({
      subject: 5,
      status: '"',
      hopCount: '1',
      provider: { id: ['a'] },
    });
  });

  it('leaves earlier records as they are, whatever the length of later ones', () => {
    const lengths = [0, 1, 65_400, 10, 200_000, 65_000, 65_000, 3];
    const facts = lengths.map((length) => ({
      subject: `${'s'.repeat(length)}"`,
      upstream: { host: '', status: undefined },
    }));
    const made = facts.map((some, index) => serializeRecord(record(index, some)));
    for (const [index, bytes] of made.entries()) {
      const expected = JSON.parse(JSON.stringify(record(index, facts[index])));
      expect(JSON.parse(`{${Buffer.from(bytes)}}`)).toEqual(expected);
    }
  });
});
