import { describe, expect, it } from 'vitest';
import { ocsfActivity } from './ocsf.js';
import { AUTHORIZED, COMPLETED, DENIED } from './record.fixture.js';

describe('ocsfActivity', () => {
  it('makes one API Activity of the two records of an allowed request', () => {
    expect(ocsfActivity(AUTHORIZED, COMPLETED)).toEqual({
      category_uid: 6,
      category_name: 'Application Activity',
      class_uid: 6003,
      class_name: 'API Activity',
      activity_id: 2,
      activity_name: 'Read',
      type_uid: 600302,
      type_name: 'API Activity: Read',
      time: Date.UTC(2030, 0, 1),
      duration: 120,
      severity_id: 1,
      severity: 'Informational',
      status_id: 1,
      status: 'Success',
      status_code: '200',
      action_id: 1,
      action: 'Allowed',
      disposition_id: 1,
      disposition: 'Allowed',
      authorizations: [{ policy: { name: 'working-hours' } }],
      metadata: {
        version: '1.9.0-dev',
        product: { name: 'Caracal', vendor_name: 'Caracal', uid: 'gateway-1' },
        profiles: ['ai_operation', 'security_control', 'trace'],
        log_name: 'caracal.audit',
        uid: AUTHORIZED.id,
        event_code: 'request.authorized',
        correlation_uid: AUTHORIZED.requestId,
        tenant_uid: 'default',
      },
      actor: {
        app_uid: 'billing-agent',
        user: { uid: 'alice', type_id: 1 },
        session: { uid: 'session-1', uid_alt: 'root-1', issuer: 'https://issuer.example', credential_uid: 'jti-1' },
        idp: { uid: 'https://issuer.example', name: 'https://issuer.example' },
      },
      ai_agent: { uid: 'billing-agent', instance_uid: 'run-1', type_id: 0 },
      delegation: {
        uid: 'edge-2',
        parent_uid: 'edge-1',
        issuer_uid: 'https://issuer.example',
        audience: 'resource://billing-api',
      },
      trace: { uid: '0af7651916cd43dd8448eb211c80319c' },
      src_endpoint: { ip: '192.0.2.7' },
      dst_endpoint: { hostname: 'billing.example', port: 8443 },
      api: {
        operation: 'GET /v1/invoices/{id}',
        service: { name: 'resource://billing-api', uid: 'resource://billing-api' },
        request: { uid: AUTHORIZED.requestId },
        response: { code: 200 },
      },
      http_request: { uid: AUTHORIZED.requestId, http_method: 'GET', url: { path: '/v1/invoices/42' }, length: 0 },
      http_response: { code: 200, length: 1234 },
      resources: [{ uid: 'resource://billing-api', type: 'API' }],
      unmapped: {
        bootId: AUTHORIZED.bootId,
        completedId: COMPLETED.id,
        clientRequestId: 'client-7',
        outcome: 'executed',
        attempts: 1,
        firstByteMs: 80.1,
        provider: AUTHORIZED.provider,
        upstreamStatus: 200,
        hopCount: 2,
        delegationPath: ['edge-1', 'edge-2'],
        delegationChain: AUTHORIZED.delegationChain,
      },
    });
  });

  it('does not claim to know how a request ended that has only begun', () => {
    expect(ocsfActivity(AUTHORIZED)).toMatchObject({ status_id: 0, action_id: 1 });
  });

  it('tells of a refusal as a failure that was blocked, with code and reason', () => {
    expect(ocsfActivity(DENIED)).toMatchObject({
      ...{ severity_id: 2, status_id: 2, status_code: 'insufficient_scope', status_detail: 'scope_missing' },
      ...{ action_id: 2, disposition_id: 2, http_response: { code: 403 } },
    });
    expect(ocsfActivity({ ...DENIED, error: 'token_replayed' })).toMatchObject({ severity_id: 3 });
  });

  it('tells an upstream’s error, and a stream that was cut, as failures of what was allowed', () => {
    const failed = ocsfActivity(AUTHORIZED, { ...COMPLETED, status: 500 });
    expect(failed).toMatchObject({ status_id: 2, action_id: 1, status_code: '500' });
    const cut = ocsfActivity(AUTHORIZED, { ...COMPLETED, outcome: 'revoked_mid_stream' });
    expect(cut).toMatchObject({ status_id: 2, action_id: 1, severity_id: 3 });
  });

  it('has what the class requires even where nobody is known', () => {
    const { id, type, time, bootId, gatewayId } = DENIED;
    const event = ocsfActivity({ id, type, time, bootId, gatewayId, decision: 'denied', reason: 'no_room', count: 9 });
    expect(event).toMatchObject({
      ...{ activity_id: 0, type_uid: 600300, count: 9, api: { operation: 'unknown' } },
      ...{ actor: { app_name: 'unauthenticated' }, src_endpoint: { name: 'unknown' } },
    });
    expect(event).not.toHaveProperty('ai_agent');
  });

  it('names a method outside the usual ones', () => {
    const operation = { method: 'REPORT', template: undefined, name: 'report' };
    expect(ocsfActivity({ ...DENIED, operation })).toMatchObject({
      ...{ activity_id: 99, activity_name: 'REPORT', type_uid: 600399, api: { operation: 'report' } },
    });
  });

  it('makes nothing of records that are about no request, and refuses two that are not of one', () => {
    expect(ocsfActivity({ ...DENIED, type: 'gateway.started' })).toBeUndefined();
    expect(() => ocsfActivity(AUTHORIZED, { ...COMPLETED, requestId: 'other' })).toThrow(TypeError);
  });
});
