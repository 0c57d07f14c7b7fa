import type { PartlyAdmitted } from '../admission.js';
import type { Mandate } from '../verify/mandate.js';
import type { AuditRecord } from './record.js';
import { evidenceText, MAX_PATH } from './text.js';

/** What a record says of the request itself, as far as the pipeline came. Never its query. */
export function factsOf(admission: PartlyAdmitted): Partial<AuditRecord> {
  const { head, request, resource, operation, credential } = admission;
  return {
    requestId: admission.requestId,
    clientRequestId: request?.clientRequestId,
    traceId: admission.trace.traceId,
    peer: evidenceText(head.peer.address),
    resource: resource?.identifier,
    operation: {
      method: evidenceText(head.method, 32),
      template: operation?.template,
      name: operation?.name,
    },
    path: evidenceText(request?.path ?? pathOf(head.target), MAX_PATH),
    provider: resource && {
      id: resource.provider.id,
      kind: resource.provider.kind,
      connection: credential?.connection,
    },
    upstream: resource?.upstream && { host: resource.upstream.host, status: undefined },
  };
}

/** What a record says of who called: verified claims only. */
export function claimsOf(mandate: Mandate): Partial<AuditRecord> {
  const { delegation } = mandate;
  return {
    zoneId: mandate.zoneId,
    issuer: mandate.issuer,
    applicationId: mandate.applicationId,
    subject: mandate.subject,
    subjectType: mandate.subjectType,
    sessionId: mandate.sessionId,
    rootSessionId: mandate.rootSessionId,
    agentSessionId: mandate.agentSessionId,
    delegationPath: delegation?.path,
    delegationChain: delegation?.chain,
    hopCount: delegation?.hopCount,
    jti: mandate.jti,
  };
}

// A target that failed its own check may be in absolute form or hold a fragment: only what stands before both may be kept.
function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  const path = end === -1 ? target : target.slice(0, end);
  return path.startsWith('/') ? path : '';
}
