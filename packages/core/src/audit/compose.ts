import type { PartlyAdmitted } from '../admission.js';
import type { ErrorCode } from '../errors.js';
import type { Settlement } from '../exchange.js';
import type { AuditRecord, RecordType } from './record.js';
import { evidenceText, MAX_PATH } from './text.js';

/** What every record carries. */
export interface Stamp {
  readonly id: string;
  readonly type: RecordType;
  readonly time: string;
  readonly bootId: string;
  readonly gatewayId: string;
}

/** What was decided on a request. */
export interface Verdict {
  readonly decision: 'allowed' | 'denied' | 'preflight';
  readonly error: ErrorCode | undefined;
  readonly reason: string | undefined;
  readonly policies: readonly string[] | undefined;
  readonly status: number | undefined;
  readonly durationMs: number | undefined;
  readonly outcome: AuditRecord['outcome'];
}

const MAX_POLICIES = 32;

/**
 * The full record of a request, as far as the pipeline came with it. Each record is one literal, always with the same
 * members in the same order: runtimes make such objects many times faster than ones that are put together.
 */
export function requestRecord(
  stamp: Stamp,
  admission: PartlyAdmitted,
  verdict: Verdict,
  settlement: Settlement | undefined,
): AuditRecord {
  const { head, request, resource, operation, mandate } = admission;
  const provider = resource?.provider;
  return {
    id: stamp.id,
    type: stamp.type,
    time: stamp.time,
    bootId: stamp.bootId,
    gatewayId: stamp.gatewayId,
    requestId: admission.requestId,
    clientRequestId: request?.clientRequestId,
    traceId: admission.trace.traceId,
    peer: evidenceText(head.peer.address),
    zoneId: mandate?.zoneId,
    issuer: mandate?.issuer,
    applicationId: mandate?.applicationId,
    subject: mandate?.subject,
    subjectType: mandate?.subjectType,
    sessionId: mandate?.sessionId,
    rootSessionId: mandate?.rootSessionId,
    agentSessionId: mandate?.agentSessionId,
    delegationPath: mandate?.delegation?.path,
    delegationChain: mandate?.delegation?.chain,
    hopCount: mandate?.delegation?.hopCount,
    jti: mandate?.jti,
    resource: resource?.identifier,
    operation: {
      method: request?.method ?? evidenceText(head.method, 32),
      template: operation?.template,
      name: operation?.name,
    },
    // A path that was checked is plain ASCII.
    path: request === undefined ? evidenceText(pathOf(head.target), MAX_PATH) : request.path.slice(0, MAX_PATH),
    decision: verdict.decision,
    error: verdict.error,
    reason: textOf(verdict.reason),
    policies: policiesOf(verdict.policies),
    provider: provider && { id: provider.id, kind: provider.kind, connection: admission.credential?.connection },
    upstream: resource?.upstream && { host: resource.upstream.host, status: settlement?.upstreamStatus },
    status: verdict.status,
    requestBytes: settlement?.requestBytes,
    responseBytes: settlement?.responseBytes,
    durationMs: rounded(verdict.durationMs),
    firstByteMs: rounded(settlement?.firstByteMs),
    attempts: settlement?.attempts,
    outcome: verdict.outcome,
    count: undefined,
  };
}

/** The slim record of an exchange's end: who and what stand in its authorized record. */
export function completedRecord(
  stamp: Stamp,
  admission: PartlyAdmitted,
  settlement: Settlement,
  durationMs: number,
): AuditRecord {
  const host = admission.resource?.upstream?.host;
  return {
    id: stamp.id,
    type: stamp.type,
    time: stamp.time,
    bootId: stamp.bootId,
    gatewayId: stamp.gatewayId,
    requestId: admission.requestId,
    decision: 'allowed',
    error: settlement.error,
    reason: textOf(settlement.reason),
    upstream: host === undefined ? undefined : { host, status: settlement.upstreamStatus },
    status: settlement.status,
    requestBytes: settlement.requestBytes,
    responseBytes: settlement.responseBytes,
    durationMs: rounded(durationMs),
    firstByteMs: rounded(settlement.firstByteMs),
    attempts: settlement.attempts,
    outcome: settlement.outcome,
  };
}

// Microseconds are as fine as the clock is.
function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 1000) / 1000;
}

function textOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : evidenceText(text);
}

function policiesOf(policies: readonly string[] | undefined): readonly string[] | undefined {
  if (policies === undefined || policies.length === 0) return undefined;
  return policies.slice(0, MAX_POLICIES).map((policy) => evidenceText(String(policy)));
}

// A target that failed its own check may be in absolute form or hold a fragment: only what stands before both may be kept.
function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  const path = end === -1 ? target : target.slice(0, end);
  return path.startsWith('/') ? path : '';
}
