import type { AuditRecord } from '@caracal/core';
import { MemberBytes, memberKey } from './member-bytes.js';
import { PRINCIPAL_KEYS, PrincipalMembers } from './principal-members.js';

/** Of every field. One that is added to `AuditRecord` and not here does not compile: evidence must not lose a field in silence. */
const KEYS = {
  id: memberKey('id'),
  type: memberKey('type'),
  time: memberKey('time'),
  bootId: memberKey('bootId'),
  gatewayId: memberKey('gatewayId'),
  requestId: memberKey('requestId'),
  clientRequestId: memberKey('clientRequestId'),
  traceId: memberKey('traceId'),
  peer: memberKey('peer'),
  ...PRINCIPAL_KEYS,
  resource: memberKey('resource'),
  operation: memberKey('operation'),
  path: memberKey('path'),
  decision: memberKey('decision'),
  error: memberKey('error'),
  reason: memberKey('reason'),
  policies: memberKey('policies'),
  provider: memberKey('provider'),
  upstream: memberKey('upstream'),
  status: memberKey('status'),
  requestBytes: memberKey('requestBytes'),
  responseBytes: memberKey('responseBytes'),
  durationMs: memberKey('durationMs'),
  firstByteMs: memberKey('firstByteMs'),
  attempts: memberKey('attempts'),
  outcome: memberKey('outcome'),
  use: memberKey('use'),
  targets: memberKey('targets'),
  scopes: memberKey('scopes'),
  requester: memberKey('requester'),
  initiator: memberKey('initiator'),
  count: memberKey('count'),
} satisfies Record<keyof AuditRecord, Uint8Array>;

/** Of the objects in a record. */
const METHOD = memberKey('method');
const TEMPLATE = memberKey('template');
const NAME = memberKey('name');
const KIND = memberKey('kind');
const CONNECTION = memberKey('connection');
const HOST = memberKey('host');

const kept = new MemberBytes();
const principals = new PrincipalMembers();

/** The members of a record's JSON object, without braces, as UTF-8: `"id":"...","type":"..."`. */
export function serializeRecord(record: AuditRecord): Uint8Array {
  return writeRecord(kept, record);
}

/**
 * As `serializeRecord`, into bytes that are used again. Field by field and not in a loop over names: the runtime reads a field
 * it knows many times faster.
 */
export function writeRecord(bytes: MemberBytes, record: AuditRecord): Uint8Array {
  bytes.begin();
  bytes.text(KEYS.id, record.id);
  bytes.text(KEYS.type, record.type);
  bytes.text(KEYS.time, record.time);
  bytes.text(KEYS.bootId, record.bootId);
  bytes.text(KEYS.gatewayId, record.gatewayId);
  bytes.text(KEYS.requestId, record.requestId);
  bytes.text(KEYS.clientRequestId, record.clientRequestId);
  bytes.text(KEYS.traceId, record.traceId);
  bytes.text(KEYS.peer, record.peer);
  principals.write(bytes, record);
  bytes.text(KEYS.resource, record.resource);
  writeObjects(bytes, record);
  bytes.number(KEYS.status, record.status);
  bytes.number(KEYS.requestBytes, record.requestBytes);
  bytes.number(KEYS.responseBytes, record.responseBytes);
  bytes.number(KEYS.durationMs, record.durationMs);
  bytes.number(KEYS.firstByteMs, record.firstByteMs);
  bytes.number(KEYS.attempts, record.attempts);
  bytes.text(KEYS.outcome, record.outcome);
  bytes.text(KEYS.use, record.use);
  bytes.json(KEYS.targets, record.targets);
  bytes.json(KEYS.scopes, record.scopes);
  bytes.text(KEYS.requester, record.requester);
  bytes.text(KEYS.initiator, record.initiator);
  bytes.number(KEYS.count, record.count);
  return bytes.end();
}

function writeObjects(bytes: MemberBytes, record: AuditRecord): void {
  const { operation, path, decision, error, reason, policies, provider, upstream } = record;
  if (operation !== undefined) {
    const opened = bytes.open(KEYS.operation);
    bytes.text(METHOD, operation.method);
    bytes.text(TEMPLATE, operation.template);
    bytes.text(NAME, operation.name);
    bytes.close(opened);
  }
  bytes.text(KEYS.path, path);
  bytes.text(KEYS.decision, decision);
  bytes.text(KEYS.error, error);
  bytes.text(KEYS.reason, reason);
  bytes.json(KEYS.policies, policies);
  if (provider !== undefined) {
    const opened = bytes.open(KEYS.provider);
    bytes.text(KEYS.id, provider.id);
    bytes.text(KIND, provider.kind);
    bytes.text(CONNECTION, provider.connection);
    bytes.close(opened);
  }
  if (upstream !== undefined) {
    const opened = bytes.open(KEYS.upstream);
    bytes.text(HOST, upstream.host);
    bytes.number(KEYS.status, upstream.status);
    bytes.close(opened);
  }
}
