import type { AuditFilter } from '@caracal/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { record, workspace } from './journal.fixture.js';
import type { Journal } from './journal.js';
import { openJournalReader } from './journal-reader.js';

describe('query and trace', () => {
  let space: Awaited<ReturnType<typeof workspace>>;
  let journal: Journal;

  beforeEach(async () => {
    space = await workspace();
    journal = await space.open();
    const end = (index: number) => ({
      id: `end-${index}`,
      type: 'request.completed' as const,
      time: record(index).time,
      bootId: 'boot',
      gatewayId: 'gateway',
      requestId: `request-${index}`,
      decision: 'allowed' as const,
    });
    const records = [
      record(0, { id: 'issue', type: 'mandate.issued', requestId: undefined, jti: 'jti-1' }),
      record(1, { jti: 'jti-1', applicationId: 'a "quoted" ü' }),
      record(2, { applicationId: 'other', zoneId: 'blue', subject: 'alice "ü"' }),
      { ...end(2), outcome: 'timeout' as const },
      { ...end(1), outcome: 'executed' as const },
      record(3, { type: 'request.denied', decision: 'denied', outcome: 'refused', error: 'insufficient_scope' }),
      record(4),
    ];
    await Promise.all(records.map((one) => journal.append(one, 'written')));
  });
  afterEach(() => space.end());

  async function ids(filter: AuditFilter): Promise<string[]> {
    const found: string[] = [];
    for await (const { record: match } of journal.query(filter)) found.push(match.id);
    return found;
  }

  it('filters by every field, and counts a slim end as of its request', async () => {
    expect(await ids({ application: 'a "quoted" ü' })).toEqual(['id-1', 'end-1']);
    expect(await ids({ zone: 'blue' })).toEqual(['id-2', 'end-2']);
    expect(await ids({ application: 'other', outcome: 'timeout' })).toEqual(['end-2']);
    expect(await ids({ outcome: 'executed', application: 'other' })).toEqual([]);
    expect(await ids({ decision: 'denied' })).toEqual(['id-3']);
    expect(await ids({ requestId: 'request-2' })).toEqual(['id-2', 'end-2']);
    expect(await ids({ subject: 'alice "ü"' })).toEqual(['id-2', 'end-2']);
    expect(await ids({ subject: 'alice' })).toEqual([]);
    expect(await ids({ subject: 'alice "ü"', type: 'request.completed' })).toEqual(['end-2']);
    expect(await ids({ type: 'mandate.issued' })).toEqual(['issue']);
    expect(await ids({ type: 'request.completed', decision: 'allowed' })).toEqual(['end-2', 'end-1']);
    expect(await ids({ type: 'request.denied', requestId: 'request-2' })).toEqual([]);
    expect(await ids({ resource: 'resource://billing-api', limit: 2 })).toEqual(['issue', 'id-1']);
    expect(await ids({ since: record(3).time, until: new Date(record(4).time) })).toEqual(['id-3']);
    expect(await ids({ limit: 0 })).toEqual([]);
  });

  it('refuses a filter it does not know by name', async () => {
    await expect(ids({ app: 'x' } as AuditFilter)).rejects.toThrow('unknown app');
    await expect(ids({ since: 'yesterday' })).rejects.toThrow('since');
  });

  it('traces a request from its mandate to its end', async () => {
    const trace = await journal.trace('request-1');
    expect(trace.records.map(({ record: { id } }) => id)).toEqual(['id-1', 'end-1']);
    expect(trace.issue?.record.id).toBe('issue');
    expect(trace.outcome).toBe('executed');
  });

  it('knows that a request has no end only when its process is gone', async () => {
    expect((await journal.trace('request-4')).outcome).toBeUndefined();
    await journal.close();
    const reader = await openJournalReader(space.directory);
    expect((await reader.trace('request-4')).outcome).toBe('unknown');
    expect((await reader.trace('request-9')).outcome).toBeUndefined();
  });
});
