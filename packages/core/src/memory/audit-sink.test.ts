import { describe, expect, it } from 'vitest';
import type { AuditRecord } from '../audit/record.js';
import { memoryAuditSink } from './audit-sink.js';

function record(id: string): AuditRecord {
  return { id, type: 'gateway.started', time: '2030-01-01T00:00:00.000Z', bootId: 'b', gatewayId: 'g' };
}

describe('memoryAuditSink', () => {
  it('keeps the latest records, oldest first, and counts what it overwrote', async () => {
    for (let appended = 0; appended <= 10; appended++) {
      const sink = memoryAuditSink({ maxRecords: 3 });
      const ids = Array.from({ length: appended }, (_, index) => `${index}`);
      for (const id of ids) await sink.append(record(id), 'written');
      expect(sink.records().map(({ id }) => id)).toEqual(ids.slice(-3));
      expect(sink.overwritten()).toBe(Math.max(0, appended - 3));
    }
  });

  it('answers a list of its own each time', async () => {
    const sink = memoryAuditSink();
    await sink.append(record('a'), 'written');
    (sink.records() as AuditRecord[]).pop();
    expect(sink.records()).toHaveLength(1);
  });

  it('tells listeners of new records until they end it', async () => {
    const sink = memoryAuditSink();
    const told: string[] = [];
    await sink.append(record('before'), 'written');
    const end = sink.subscribe(({ id }) => void told.push(id));
    await sink.append(record('a'), 'written');
    end();
    end();
    await sink.append(record('b'), 'written');
    expect(told).toEqual(['a']);
  });

  it('accepts a record whatever a listener does', async () => {
    const sink = memoryAuditSink();
    const told: string[] = [];
    sink.subscribe(() => {
      throw new Error('no');
    });
    sink.subscribe(({ id }) => void told.push(id));
    await sink.append(record('a'), 'synced');
    expect(sink.records()).toHaveLength(1);
    expect(told).toEqual(['a']);
  });

  it('refuses options that are not in order', () => {
    expect(() => memoryAuditSink({ maxRecords: 0 })).toThrow('memoryAuditSink: maxRecords');
    expect(() => memoryAuditSink({ max: 1 } as never)).toThrow('memoryAuditSink: unknown option max');
  });
});
