import assert from 'node:assert/strict';
import { type AuditRecord, type ErrorCode, STATUS_OF_CODE } from '@caracal/core';
import type { ExpectedRefusal } from './case.js';
import type { RawResponse } from './client.js';
import { headerValue, headerValues } from './message.js';

/** UUIDv7. @see RFC 9562 section 5.7 */
export const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Refusals before the mandate was verified: their records hold no claim. */
const UNAUTHENTICATED: ReadonlySet<ErrorCode> = new Set(['missing_token', 'invalid_token']);

/** What a record learns from a mandate. */
const CLAIM_FIELDS = ['zoneId', 'issuer', 'applicationId', 'subject', 'subjectType', 'sessionId', 'jti'] as const;

/** Asserts what every refusal promises on the wire. Gives its `requestId`. */
export function assertRefusal(response: RawResponse, expected: ExpectedRefusal, method: string): string {
  const { error } = expected;
  const shown = `${response.status} ${headerValue(response.headers, 'x-caracal-error') ?? ''} ${response.body.toString()}`;
  assert.equal(headerValue(response.headers, 'x-caracal-error'), error, `X-Caracal-Error of: ${shown}`);
  const statuses = [expected.status ?? STATUS_OF_CODE[error]].flat();
  assert.ok(statuses.includes(response.status), `status ${statuses.join(' or ')}, got: ${shown}`);
  assert.equal(headerValue(response.headers, 'cache-control'), 'no-store');
  assert.match(headerValue(response.headers, 'content-type') ?? '', /^application\/json(;|$)/);
  const requestId = headerValue(response.headers, 'x-caracal-request-id') ?? '';
  assert.match(requestId, UUID_V7, 'X-Caracal-Request-Id is a UUIDv7');
  assertChallenge(response, expected);
  if (response.status === 429 || response.status === 503) {
    assert.match(headerValue(response.headers, 'retry-after') ?? '', /^[1-9]\d*$/, 'Retry-After in whole seconds');
  }
  if (response.status === 405) assert.match(headerValue(response.headers, 'allow') ?? '', /\bGET\b.*\bPOST\b/);
  assert.ok(response.complete, 'a refusal ends as its framing says');
  if (method === 'HEAD') {
    assert.equal(response.body.length, 0);
    return requestId;
  }
  const document = JSON.parse(response.body.toString('utf8')) as Record<string, unknown>;
  assert.equal(document.error, error);
  assert.equal(document.requestId, requestId);
  const description = document.error_description;
  assert.ok(typeof description === 'string' && description.length > 0, 'error_description is a text');
  assert.doesNotMatch(description, /127\.0\.0\.1|https?:|\bat .*:\d+|node_modules/, 'no address and no stack in it');
  return requestId;
}

/** Asserts what the record of a refusal promises. Gives the last one. */
export function assertRefusalRecords(
  records: readonly AuditRecord[],
  response: RawResponse,
  expected: ExpectedRefusal,
): AuditRecord {
  const types = records.map(({ type }) => type);
  const wanted = expected.contacted ? ['request.authorized', 'request.completed'] : ['request.denied'];
  assert.deepEqual(types, wanted);
  const record = records.at(-1)!;
  assert.equal(record.error, expected.error);
  assert.equal(record.status, response.status);
  if (!expected.contacted) assert.equal(record.decision, 'denied');
  assert.ok(!(record.path ?? '').includes('?'), 'no query in the path');
  const evidence = expected.evidence ?? (UNAUTHENTICATED.has(expected.error) ? 'unauthenticated' : 'full');
  if (evidence === 'unauthenticated') {
    for (const field of CLAIM_FIELDS) assert.equal(record[field] ?? undefined, undefined, `no ${field} before row 4`);
  }
  return record;
}

/** @see RFC 6750 section 3 */
function assertChallenge(response: RawResponse, { error, scope }: ExpectedRefusal): void {
  const challenges = headerValues(response.headers, 'www-authenticate');
  const expected =
    error === 'missing_token'
      ? {}
      : response.status === 401
        ? { error: 'invalid_token' }
        : error === 'insufficient_scope'
          ? { error: 'insufficient_scope', scope }
          : undefined;
  if (expected === undefined) {
    assert.deepEqual(challenges, [], 'no challenge where another mandate would not help');
    return;
  }
  assert.equal(challenges.length, 1);
  const {
    error_description: _description,
    resource_metadata: _metadata,
    ...parameters
  } = challengeParameters(challenges[0]!);
  assert.deepEqual(parameters, { realm: 'caracal', ...expected });
}

function challengeParameters(challenge: string): Record<string, string> {
  assert.match(challenge, /^Bearer [a-z_]+="[^"\\]*"(, [a-z_]+="[^"\\]*")*$/);
  const parameters: Record<string, string> = {};
  for (const [, name, value] of challenge.matchAll(/([a-z_]+)="([^"]*)"/g)) {
    assert.ok(!(name! in parameters), `${name} occurs twice`);
    parameters[name!] = value!;
  }
  return parameters;
}
