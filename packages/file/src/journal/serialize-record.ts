import type { AuditRecord } from '@caracal/core';
import { quoted } from './text.js';

type FieldKind = 'text' | 'number' | 'texts' | 'object';

/**
 * Every field of a record, in the order of the line. A field that is added to `AuditRecord` and not here does not
 * compile: evidence must not lose a field in silence.
 */
const FIELDS = {
  id: 'text',
  type: 'text',
  time: 'text',
  bootId: 'text',
  gatewayId: 'text',
  requestId: 'text',
  clientRequestId: 'text',
  traceId: 'text',
  peer: 'text',
  zoneId: 'text',
  issuer: 'text',
  applicationId: 'text',
  subject: 'text',
  subjectType: 'text',
  sessionId: 'text',
  rootSessionId: 'text',
  agentSessionId: 'text',
  delegationPath: 'texts',
  delegationChain: 'object',
  hopCount: 'number',
  jti: 'text',
  resource: 'text',
  operation: 'object',
  path: 'text',
  decision: 'text',
  error: 'text',
  reason: 'text',
  policies: 'texts',
  provider: 'object',
  upstream: 'object',
  status: 'number',
  requestBytes: 'number',
  responseBytes: 'number',
  durationMs: 'number',
  firstByteMs: 'number',
  attempts: 'number',
  outcome: 'text',
  use: 'text',
  targets: 'texts',
  scopes: 'texts',
  requester: 'text',
  count: 'number',
} satisfies Record<keyof AuditRecord, FieldKind>;

const FIELD_LIST = (Object.entries(FIELDS) as [keyof AuditRecord, FieldKind][]).map(([name, kind]) => ({
  name,
  kind,
  key: `,"${name}":`,
}));

/**
 * The members of a record's JSON object, without braces: `"id":"...","type":"..."`. By hand, because this stands on the
 * path of every request. What is `undefined` is left out; a number that is not finite becomes `null`.
 */
export function serializeRecord(record: AuditRecord): string {
  let members = '';
  for (const { name, kind, key } of FIELD_LIST) {
    const value: unknown = record[name];
    if (value !== undefined) members += key + serializeValue(kind, value);
  }
  return members.slice(1);
}

function serializeValue(kind: FieldKind, value: unknown): string {
  // By what the value is, not by what the type promises: a caller without types must not be able to break a line.
  if (kind === 'text' && typeof value === 'string') return quoted(value);
  if (kind === 'number' && typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  return serializeJson(value);
}

function serializeJson(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(serializeJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    let members = '';
    for (const name of Object.keys(value)) {
      const member = (value as Record<string, unknown>)[name];
      if (member !== undefined) members += `,${quoted(name)}:${serializeJson(member)}`;
    }
    return `{${members.slice(1)}}`;
  }
  return typeof value === 'number' && Number.isFinite(value)
    ? String(value)
    : value === true
      ? 'true'
      : value === false
        ? 'false'
        : 'null';
}
