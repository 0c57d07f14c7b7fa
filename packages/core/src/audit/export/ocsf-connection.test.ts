import { describe, expect, it } from 'vitest';
import type { AuditRecord } from '../record.js';
import { ocsfActivity } from './ocsf.js';
import { ocsfConnection } from './ocsf-connection.js';
import { CONNECTION, DENIED } from './record.fixture.js';

describe('ocsfConnection', () => {
  it('makes an Entity Management event of an account that was connected', () => {
    expect(ocsfConnection(CONNECTION)).toEqual({
      ...{ category_uid: 3, category_name: 'Identity & Access Management' },
      ...{ class_uid: 3004, class_name: 'Entity Management' },
      ...{ activity_id: 1, activity_name: 'Create', type_uid: 300401, type_name: 'Entity Management: Create' },
      time: Date.UTC(2030, 0, 1),
      ...{ severity_id: 1, severity: 'Informational', status_id: 1, status: 'Success' },
      metadata: {
        version: '1.9.0-dev',
        product: { name: 'Caracal', vendor_name: 'Caracal', uid: 'gateway-1' },
        profiles: [],
        log_name: 'caracal.audit',
        uid: CONNECTION.id,
        event_code: 'connection.made',
        tenant_uid: 'default',
      },
      actor: {
        user: { uid: 'alice', type_id: 0 },
        idp: { uid: 'https://issuer.example', name: 'https://issuer.example' },
      },
      src_endpoint: { ip: '192.0.2.7' },
      entity: {
        type: 'Connected account',
        uid: 'cn_1',
        name: 'provider://files',
        data: { subject: 'alice', issuer: 'https://issuer.example', scopes: ['files.read'] },
      },
      unmapped: {
        bootId: CONNECTION.bootId,
        applicationId: 'billing-agent',
        resource: 'resource://billing-api',
        initiator: 'person',
      },
    });
  });

  it('tells of an administrator and of the shared account, and of what was not given back as a failure', () => {
    const shared = { ...CONNECTION, subject: undefined, issuer: undefined, initiator: 'administrator' } as AuditRecord;
    expect(ocsfConnection({ ...shared, type: 'connection.ended' })).toMatchObject({
      ...{ activity_id: 4, status_id: 1, actor: { app_name: 'administrator' } },
      entity: { data: { subject: 'shared' } },
    });
    expect(ocsfConnection({ ...CONNECTION, type: 'connection.not_revoked', reason: 'unsupported' })).toMatchObject({
      ...{ activity_id: 99, activity_name: 'Revoke', status_id: 2, status_detail: 'unsupported', severity_id: 2 },
    });
  });

  it('makes nothing of other records', () => {
    expect(ocsfConnection(DENIED)).toBeUndefined();
    expect(ocsfActivity(CONNECTION)).toBeUndefined();
  });
});
