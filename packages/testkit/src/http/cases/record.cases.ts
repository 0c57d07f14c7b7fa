import assert from 'node:assert/strict';
import type { AuditRecord } from '@caracal/core';
import { answer, echo } from '../answers.js';
import type { HttpCase } from '../case.js';
import { delegated } from '../delegated.js';
import { UUID_V7 } from '../expect-refusal.js';
import { headerValue } from '../message.js';

/** Section 9: what is recorded, and what never is. */
export const recordCases: readonly HttpCase[] = [
  {
    name: 'records an allowed request twice: who and what before, how it ended after',
    section: '9',
    run: async (t) => {
      t.answer(echo);
      const claims = t.issuers.main.claims({
        ...delegated('a', 'b'),
        target: ['resource://billing'],
        scope: 'billing:read',
        sub: 'subject-1',
        client_id: 'application-1',
      });
      const response = await t.send({ target: '/v1/invoices/7?secret=query', resource: 'resource://billing', claims });
      const { authorized, completed } = await t.allowed(response);
      const requestId = headerValue(response.headers, 'x-caracal-request-id');
      const { issuer, zoneId } = t.issuers.main;
      const expected: Partial<AuditRecord> = {
        requestId,
        issuer,
        zoneId,
        applicationId: 'application-1',
        subject: 'subject-1',
        subjectType: 'user',
        sessionId: String(claims.sid),
        rootSessionId: String(claims.root_sid),
        agentSessionId: String(claims.agent_session_id),
        hopCount: 2,
        jti: String(claims.jti),
        resource: 'resource://billing',
        path: '/v1/invoices/7',
        decision: 'allowed',
      };
      for (const [field, value] of Object.entries(expected)) {
        assert.equal(authorized[field as keyof AuditRecord], value, field);
      }
      assert.deepEqual(authorized.delegationPath, claims.delegation_path);
      assert.deepEqual(authorized.operation, { method: 'GET', template: '/v1/invoices/{id}', name: 'readInvoice' });
      assert.equal(authorized.upstream?.host, t.upstream.host);
      assert.equal(completed.requestId, requestId);
      assert.equal(completed.upstream?.status ?? completed.status, 200);
    },
  },
  {
    name: 'gives every record an id, a time, and the gateway it comes from',
    section: '9',
    run: async (t) => {
      const { authorized, completed } = await t.allowed(await t.send());
      for (const record of [authorized, completed]) {
        assert.match(record.id, UUID_V7);
        assert.ok(Math.abs(Date.now() - Date.parse(record.time)) < 60_000);
        assert.ok(record.bootId.length > 0 && record.gatewayId.length > 0);
      }
      assert.notEqual(authorized.id, completed.id);
      assert.equal(authorized.bootId, completed.bootId);
    },
  },
  {
    name: 'counts the bytes of both bodies and the time',
    section: '9',
    run: async (t) => {
      t.answer(answer(200, [], 'x'.repeat(1_234)));
      const { completed } = await t.allowed(await t.send({ method: 'POST', chunks: ['12345', '67'] }));
      assert.equal(completed.requestBytes, 7);
      assert.equal(completed.responseBytes, 1_234);
      assert.equal(completed.attempts, 1);
      assert.ok(completed.durationMs !== undefined && completed.durationMs >= 0);
      assert.ok(completed.firstByteMs !== undefined && completed.firstByteMs <= completed.durationMs);
    },
  },
  {
    name: 'records no query, no header value and no body, neither of the request nor of the answer',
    section: '9',
    run: async (t) => {
      const secret = (name: string) => `canary-${name}-${crypto.randomUUID()}`;
      const [query, header, cookie, body, sentHeader, sentBody] = [
        'query',
        'header',
        'cookie',
        'body',
        'answer',
        'text',
      ].map(secret);
      t.answer(answer(200, [['X-Sent', sentHeader!]], sentBody));
      const response = await t.send({
        method: 'POST',
        target: `/a?x=${query}`,
        headers: [
          ['X-Custom', header!],
          ['Cookie', cookie!],
          ['User-Agent', header!],
        ],
        body: body!,
      });
      const text = JSON.stringify(await t.records(response));
      for (const canary of [query, header, cookie, body, sentHeader, sentBody]) assert.ok(!text.includes(canary!));
      assert.ok(!text.includes('?'), 'no query in any path');
    },
  },
  {
    name: 'records no query of a request that it refuses',
    section: '9',
    run: async (t) => {
      const canary = t.secret(`canary-query-${crypto.randomUUID()}`);
      await t.refused(await t.send({ target: `/a?x=${canary}`, mandate: null }), { error: 'missing_token' });
      const record = await t.refused(await t.send({ target: `/a?x=${canary}`, resource: 'resource://nowhere' }), {
        error: 'resource_not_permitted',
      });
      assert.equal(record.path, '/a');
    },
  },
  {
    name: 'records the path as it was received',
    section: '9',
    run: async (t) => {
      const { authorized } = await t.allowed(await t.send({ target: '/a%2Fb//c;d?e' }));
      assert.equal(authorized.path, '/a%2Fb//c;d');
    },
  },
  {
    name: 'records who a refused request came from',
    section: '9',
    run: async (t) => {
      const record = await t.refused(await t.send({ mandate: null }), { error: 'missing_token' });
      assert.equal(record.peer?.replace('::ffff:', ''), '127.0.0.1');
      assert.ok(record.reason, 'and why');
    },
  },
  {
    name: 'records one thing alone of an allowed request where records are buffered',
    section: '9',
    variant: 'bare',
    run: async (t) => {
      const response = await t.send();
      assert.equal(response.status, 200);
      const records = await t.records(response);
      assert.deepEqual(
        records.map(({ type, outcome, resource }) => ({ type, outcome, resource })),
        [{ type: 'request.completed', outcome: 'executed', resource: 'resource://echo' }],
      );
      assert.equal(records[0]?.applicationId, 'test-agent');
    },
  },
  {
    name: 'records a refusal where records are buffered',
    section: '9',
    variant: 'bare',
    run: async (t) => {
      await t.refused(await t.send({ mandate: null }), { error: 'missing_token' });
    },
  },
];
