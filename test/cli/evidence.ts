import { join } from 'node:path';
import type { AuditRecord } from '@caracal/core';
import { type Journal, openJournal } from '@caracal/file';

/** What an attacker may put into a path: it clears the screen, turns text round, and is a formula. */
export const HOSTILE_PATH = '/\x1b[2J\u202e=cmd';
export const REQUEST_ID = '019abc3e-5d0f-7c4e-9b7e-000000000001';
export const OPEN_REQUEST_ID = '019abc3e-5d0f-7c4e-9b7e-000000000002';
export const DENIED_REQUEST_ID = '019abc3e-5d0f-7c4e-9b7e-000000000003';

const BASE = {
  time: '2026-11-25T14:00:00.000Z',
  bootId: '019abc3e-0000-7000-8000-000000000000',
  gatewayId: 'gateway',
} as const;

function authorized(requestId: string): AuditRecord {
  return {
    ...BASE,
    id: `${requestId}-a`,
    type: 'request.authorized',
    requestId,
    zoneId: 'default',
    issuer: 'https://issuer.example',
    applicationId: 'billing-agent',
    jti: `jti-${requestId}`,
    resource: 'resource://billing-api',
    operation: { method: 'GET', template: '/v1/invoices/{id}', name: undefined },
    path: '/v1/invoices/42',
    decision: 'allowed',
    provider: { id: 'provider://billing', kind: 'api_key', connection: undefined },
  };
}

export const RECORDS: readonly AuditRecord[] = [
  { ...BASE, id: '1', type: 'gateway.started' },
  {
    ...BASE,
    id: '2',
    type: 'mandate.issued',
    issuer: 'https://issuer.example',
    applicationId: 'billing-agent',
    jti: `jti-${REQUEST_ID}`,
    use: 'gateway',
    targets: ['resource://billing-api'],
    scopes: ['billing:read'],
    decision: 'allowed',
  },
  authorized(REQUEST_ID),
  {
    ...BASE,
    time: '2026-11-25T14:00:00.012Z',
    id: '4',
    type: 'request.completed',
    requestId: REQUEST_ID,
    decision: 'allowed',
    status: 200,
    durationMs: 12,
    outcome: 'executed',
  },
  authorized(OPEN_REQUEST_ID),
  {
    ...BASE,
    time: '2026-11-25T15:00:00.000Z',
    id: '6',
    type: 'request.denied',
    requestId: DENIED_REQUEST_ID,
    peer: '192.0.2.7',
    operation: { method: 'GET', template: undefined, name: undefined },
    path: HOSTILE_PATH,
    decision: 'denied',
    error: 'missing_token',
    reason: 'authorization_absent',
    status: 401,
    outcome: 'refused',
  },
];

/** A journal as a gateway leaves it, closed, in a state directory. */
export async function writeEvidence(stateDirectory: string, records = RECORDS): Promise<void> {
  const journal = await openEvidenceJournal(stateDirectory);
  for (const record of records) await journal.append(record, 'written');
  await journal.close();
}

export function openEvidenceJournal(stateDirectory: string): Promise<Journal> {
  return openJournal({ directory: join(stateDirectory, 'audit'), onWarning: () => {} });
}
