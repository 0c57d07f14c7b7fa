import { type AuditRecord, escapeForTerminal } from '@caracal/core';
import { columns } from '../frame/columns.js';

const BY = {
  person: 'the person',
  invitation: 'invitation',
  administrator: 'an administrator',
  gateway: 'the gateway',
} as const satisfies Record<NonNullable<AuditRecord['initiator']>, string>;

/** Widths that most records fit in; a longer cell pushes the rest of its line to the right. */
const WIDTHS = [24, 18, 24] as const;

/** One record on one line: when, what, who, about what, and how it went. */
export function evidenceLine(record: AuditRecord): string {
  const cells = [record.time, record.type, record.requestId ?? ''];
  const facts = [whoOf(record), aboutOf(record), resultOf(record)].filter((fact) => fact !== '');
  const padded = cells.map((cell, index) => escapeForTerminal(cell).padEnd(WIDTHS[index]!));
  return [...padded, ...facts.map(escapeForTerminal)].join('  ').trimEnd();
}

/** All that a record says, a line a member. */
export function evidenceDetails(record: AuditRecord, indent: string): string {
  const { id: _id, type: _type, time: _time, requestId: _requestId, ...facts } = record;
  const rows = Object.entries(facts).flatMap(([name, value]) => {
    const text = detail(value);
    return text === '' ? [] : [[name, text]];
  });
  return columns(rows, indent);
}

function whoOf({ type, subject, initiator, applicationId, requester, peer }: AuditRecord): string {
  if (type.startsWith('connection.')) {
    const by = initiator === undefined || initiator === 'person' ? '' : ` (by ${BY[initiator]})`;
    return `${subject ?? 'shared'}${by}`;
  }
  if (applicationId === undefined) return peer ?? '';
  return requester === undefined ? applicationId : `${applicationId} (asked by ${requester})`;
}

function aboutOf({ type, operation, path, resource, targets, scopes, use, provider }: AuditRecord): string {
  if (type.startsWith('connection.')) {
    return [provider?.id, provider?.connection].filter((part) => part !== undefined).join(' ');
  }
  if (type === 'mandate.issued') {
    return [use, targets?.join(' '), scopes?.join(' ')].filter((part) => part !== undefined && part !== '').join(' ');
  }
  const call = [operation?.method, path].filter((part) => part !== undefined && part !== '').join(' ');
  return resource === undefined ? call : `${call} of ${resource}`.trim();
}

function resultOf({ type, decision, status, error, reason, outcome, durationMs, count }: AuditRecord): string {
  const parts = [
    count === undefined ? undefined : `${count} times`,
    // An authorized record is followed by its end, which says more.
    type === 'request.authorized' ? decision : undefined,
    status,
    error,
    outcome === error ? undefined : outcome,
    reason === undefined ? undefined : `(${reason})`,
    durationMs === undefined ? undefined : `${milliseconds(durationMs)}`,
  ];
  return parts.filter((part) => part !== undefined).join(' ');
}

/** A duration to look at. */
export function milliseconds(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

function detail(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.map(detail).join(', ');
  if (typeof value === 'object') {
    return Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => `${name} ${detail(member)}`)
      .join(', ');
  }
  return String(value);
}
