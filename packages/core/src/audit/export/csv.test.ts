import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditRecord } from '../record.js';
import { CSV_COLUMNS, csvHeader, csvRow } from './csv.js';
import { AUTHORIZED, COMPLETED, DENIED } from './record.fixture.js';

/** Reads one line as RFC 4180 has it. */
function cells(line: string): string[] {
  expect(line.endsWith('\r\n')).toBe(true);
  const found = [...`${line.slice(0, -2)},`.matchAll(/(?:"((?:[^"]|"")*)"|([^",]*)),/gy)];
  return found.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!);
}

function cellOf(record: AuditRecord, column: string): string | undefined {
  return cells(csvRow(record))[CSV_COLUMNS.indexOf(column)];
}

const bare = { id: 'i', type: 'gateway.started', time: 't', bootId: 'b', gatewayId: 'g' } as const;

describe('csv', () => {
  it('has one cell for every column, present or not', () => {
    expect(cells(csvHeader())).toEqual([...CSV_COLUMNS]);
    for (const record of [bare, AUTHORIZED, COMPLETED, DENIED]) {
      expect(cells(csvRow(record))).toHaveLength(CSV_COLUMNS.length);
    }
  });

  it('leaves nothing of a record out', () => {
    const everything = { ...DENIED, ...COMPLETED, count: 3, error: 'access_denied', reason: 'r' } as const;
    const row = csvRow(everything);
    const values = (value: unknown): unknown[] =>
      typeof value === 'object' && value !== null
        ? Object.values(value).flatMap(values)
        : value === undefined
          ? []
          : [value];
    for (const value of values(everything)) expect(row).toContain(String(value));
  });

  it('writes lists as JSON, numbers as they are and nothing for what is absent', () => {
    expect(cellOf(AUTHORIZED, 'delegationPath')).toBe('["edge-1","edge-2"]');
    expect(cellOf(COMPLETED, 'durationMs')).toBe('119.6');
    expect(cellOf(AUTHORIZED, 'outcome')).toBe('');
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\uff1d1+1', '\uff20A'])('makes %j inert', (subject) => {
    expect(cellOf({ ...bare, subject }, 'subject')![0]).toBe("'");
  });

  it('keeps a formula behind a semicolon in its cell', () => {
    expect(csvRow({ ...bare, subject: 'a;=1' })).toContain('"a;=1"');
  });

  it('is one line that reads back, whatever a caller sends, with no character that misleads', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (subject, path) => {
        const line = csvRow({ ...bare, subject, path });
        expect(line.slice(0, -2)).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
        expect(cells(line)).toHaveLength(CSV_COLUMNS.length);
        for (const text of [cellOf({ ...bare, subject }, 'subject')!, cellOf({ ...bare, path }, 'path')!]) {
          expect(text).not.toMatch(/^[=+\-@]/);
        }
      }),
      { numRuns: 500 },
    );
  });
});
