import assert from 'node:assert/strict';
import type { AuditRecord, AuditSink } from '@caracal/core';
import { HOSTILE_IDENTIFIERS } from './hostile-texts.js';
import { type PortCase, portCase } from './port-case.js';

/** A sink and a way to read what it holds: the port itself only writes. */
export interface ReadableAuditSink extends AuditSink {
  /** Every record it has accepted and still keeps, in order of acceptance. */
  stored(): Promise<readonly AuditRecord[]>;
}

const DURABILITIES = ['synced', 'written', 'buffered'] as const;

function record(of: Partial<AuditRecord> = {}): AuditRecord {
  return {
    id: '0190a5a0-0000-7000-8000-000000000001',
    type: 'request.denied',
    time: '2030-01-01T00:00:00.000Z',
    bootId: '0190a5a0-0000-7000-8000-000000000000',
    gatewayId: 'gateway',
    ...of,
  };
}

/** A record as a reader gets it, who cannot tell an absent member from an undefined one. */
function plain(records: readonly AuditRecord[]): unknown {
  return JSON.parse(JSON.stringify(records));
}

const FULL = record({
  type: 'request.authorized',
  requestId: '0190a5a0-0000-7000-8000-000000000002',
  clientRequestId: 'client "1"',
  zoneId: 'default',
  issuer: 'https://issuer.example',
  applicationId: 'agent',
  subject: 'alice',
  delegationPath: ['edge-1', 'edge-2'],
  delegationChain: [{ applicationId: 'agent', delegationEdgeId: 'edge-1' }],
  hopCount: 2,
  operation: { method: 'GET', template: '/v1/{id}', name: undefined },
  path: '/v1/%2F//x',
  decision: 'allowed',
  policies: ['p1'],
  provider: { id: 'provider://api', kind: 'api_key', connection: undefined },
  upstream: { host: 'api.example', status: undefined },
  durationMs: 1.25,
});

/** What every {@link AuditSink} has to do. */
export const auditSinkCases: readonly PortCase<ReadableAuditSink>[] = [
  portCase('keeps every member of a record', async ({ store }) => {
    await store.append(FULL, 'written');
    assert.deepEqual(plain(await store.stored()), plain([FULL]));
  }),

  ...DURABILITIES.map((durability) =>
    portCase<ReadableAuditSink>(`keeps records in the order they came, ${durability}`, async ({ store }) => {
      const records = Array.from({ length: 20 }, (_, index) => record({ id: `id-${index}` }));
      for (const each of records) await store.append(each, durability);
      assert.deepEqual(plain(await store.stored()), plain(records));
    }),
  ),

  portCase('keeps every one of many concurrent records, in the order of the calls', async ({ store }) => {
    const records = Array.from({ length: 200 }, (_, index) => record({ id: `id-${index}` }));
    await Promise.all(records.map(async (each, index) => store.append(each, DURABILITIES[index % 3] ?? 'written')));
    assert.deepEqual(plain(await store.stored()), plain(records));
  }),

  portCase('keeps texts as they are', async ({ store }) => {
    const records = HOSTILE_IDENTIFIERS.map((subject, index) => record({ id: `id-${index}`, subject }));
    for (const each of records) await store.append(each, 'written');
    assert.deepEqual(plain(await store.stored()), plain(records));
  }),
];
