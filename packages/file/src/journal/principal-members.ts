import type { AuditRecord } from '@caracal/core';
import { type MemberBytes, memberKey } from './member-bytes.js';

/** Of the fields that say who asked, in the order in which they are written. */
export const PRINCIPAL_KEYS = {
  zoneId: memberKey('zoneId'),
  issuer: memberKey('issuer'),
  applicationId: memberKey('applicationId'),
  subject: memberKey('subject'),
  subjectType: memberKey('subjectType'),
  sessionId: memberKey('sessionId'),
  rootSessionId: memberKey('rootSessionId'),
  agentSessionId: memberKey('agentSessionId'),
  delegationPath: memberKey('delegationPath'),
  delegationChain: memberKey('delegationChain'),
  hopCount: memberKey('hopCount'),
  jti: memberKey('jti'),
} satisfies Partial<Record<keyof AuditRecord, Uint8Array>>;

/** Mandates remembered; full, all are forgotten. */
const MAX_REMEMBERED = 1000;

interface Remembered {
  /** A record that these members were written for. */
  readonly record: AuditRecord;
  readonly members: Uint8Array;
}

/**
 * Writes who asked. That is half of a record, and the same bytes in all records of one mandate, so they are kept for the next
 * one: found by `jti`, and used only where every field is the same.
 */
export class PrincipalMembers {
  readonly #remembered = new Map<string, Remembered>();

  write(bytes: MemberBytes, record: AuditRecord): void {
    const { jti } = record;
    if (jti === undefined) return writePrincipal(bytes, record);
    const known = this.#remembered.get(jti);
    if (known !== undefined && samePrincipal(known.record, record)) return bytes.members(known.members);
    const from = bytes.length;
    writePrincipal(bytes, record);
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(jti, { record, members: bytes.copyFrom(from) });
  }
}

// By identity where a value is a list: those of one mandate are one object.
function samePrincipal(one: AuditRecord, other: AuditRecord): boolean {
  return (
    one.zoneId === other.zoneId &&
    one.issuer === other.issuer &&
    one.applicationId === other.applicationId &&
    one.subject === other.subject &&
    one.subjectType === other.subjectType &&
    one.sessionId === other.sessionId &&
    one.rootSessionId === other.rootSessionId &&
    one.agentSessionId === other.agentSessionId &&
    one.delegationPath === other.delegationPath &&
    one.delegationChain === other.delegationChain &&
    one.hopCount === other.hopCount
  );
}

function writePrincipal(bytes: MemberBytes, record: AuditRecord): void {
  bytes.text(PRINCIPAL_KEYS.zoneId, record.zoneId);
  bytes.text(PRINCIPAL_KEYS.issuer, record.issuer);
  bytes.text(PRINCIPAL_KEYS.applicationId, record.applicationId);
  bytes.text(PRINCIPAL_KEYS.subject, record.subject);
  bytes.text(PRINCIPAL_KEYS.subjectType, record.subjectType);
  bytes.text(PRINCIPAL_KEYS.sessionId, record.sessionId);
  bytes.text(PRINCIPAL_KEYS.rootSessionId, record.rootSessionId);
  bytes.text(PRINCIPAL_KEYS.agentSessionId, record.agentSessionId);
  bytes.json(PRINCIPAL_KEYS.delegationPath, record.delegationPath);
  bytes.json(PRINCIPAL_KEYS.delegationChain, record.delegationChain);
  bytes.number(PRINCIPAL_KEYS.hopCount, record.hopCount);
  bytes.text(PRINCIPAL_KEYS.jti, record.jti);
}
