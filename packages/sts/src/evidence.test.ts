import { type AuditRecord, type AuditSink, memoryAuditSink, Secret } from '@caracal/core';
import { afterEach, describe, expect, it } from 'vitest';
import { denied } from './denied.js';
import { type Asked, Evidence } from './evidence.js';
import { type TokenServiceFault, tokenServiceSettings } from './settings.js';

let evidence: Evidence;
afterEach(() => evidence.close());

function world(sink: AuditSink = memoryAuditSink(), room = 8) {
  const faults: TokenServiceFault[] = [];
  const settings = tokenServiceSettings({
    issuer: 'https://tokens.example',
    resources: [],
    applications: [{ id: 'agent', secret: new Secret('s'), grants: [] }],
    audit: { sink, room },
    onFault: (fault) => faults.push(fault),
  });
  evidence = new Evidence(settings);
  return { faults };
}

const stranger: Asked = { requestId: 'r', peer: '192.0.2.7', path: '/oauth/2/token', startedAt: 0 };
const refusal = denied('invalid_client', 'secret_wrong');
const counted = (records: readonly AuditRecord[]) => records.reduce((sum, { count = 1 }) => sum + count, 0);

describe('Evidence', () => {
  it('counts a flood of strangers exactly, in few records', () => {
    const sink = memoryAuditSink();
    world(sink);
    for (let index = 0; index < 1_000; index++) evidence.denied(stranger, refusal);
    evidence.flush();
    const records = sink.records();
    expect(records.length).toBeLessThan(110);
    expect(counted(records)).toBe(1_000);
    expect(records.at(-1)).toMatchObject({ peer: '192.0.2.7', error: 'invalid_client', reason: 'aggregated' });
  });

  it('records every refusal of an application that is known', () => {
    const sink = memoryAuditSink();
    world(sink);
    for (let index = 0; index < 300; index++) evidence.denied({ ...stranger, requester: 'agent' }, refusal);
    expect(sink.records()).toHaveLength(300);
  });

  it('tells of refusals that found no sink once there is one, and of the fault at once', async () => {
    const kept: AuditRecord[] = [];
    let isDown = true;
    const { faults } = world({
      append: (record) => {
        if (isDown) throw new Error('down');
        kept.push(record);
      },
    });
    evidence.denied(stranger, refusal);
    await Promise.resolve();
    expect(faults).toMatchObject([{ reason: 'audit_append' }]);
    isDown = false;
    evidence.flush();
    expect(kept).toMatchObject([{ type: 'records.omitted', reason: 'no_room', count: 1 }]);
  });

  it('leaves room for issued mandates while refusals pile up', async () => {
    world({ append: ({ type }) => (type === 'mandate.issued' ? undefined : new Promise<void>(() => {})) });
    for (let index = 0; index < 50; index++) evidence.denied(stranger, refusal);
    const claims = {
      iss: 'i',
      sub: 'agent',
      aud: 'i',
      exp: 2,
      iat: 1,
      jti: 'j',
      zone_id: 'z',
      client_id: 'agent',
      scope: '',
      use: 'session',
      sub_type: 'application',
      sid: 's',
      root_sid: 's',
    } as const;
    await expect(evidence.issued(stranger, claims)).resolves.toBeUndefined();
  });
});
