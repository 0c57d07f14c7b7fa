import type { AuditRecord } from '../record.js';
import { actorOf, agentOf, delegationOf } from './ocsf-principal.js';
import { present } from './present.js';

/** Version of the OCSF schema the events are written to; the first with `ai_agent` and `delegation`. */
export const OCSF_VERSION = '1.9.0-dev';

/** An OCSF event: JSON members as the schema names them. */
export type OcsfEvent = Readonly<Record<string, unknown>>;

const CLASS_UID = 6003;
const ACTIVITIES: Readonly<Record<string, readonly [id: number, name: string]>> = Object.freeze({
  POST: [1, 'Create'],
  GET: [2, 'Read'],
  HEAD: [2, 'Read'],
  OPTIONS: [2, 'Read'],
  PUT: [3, 'Update'],
  PATCH: [3, 'Update'],
  DELETE: [4, 'Delete'],
});
/** Someone used what was taken away or used up, or a gateway was led to where it must not go. */
const ALARMING: readonly (string | undefined)[] = [
  'session_revoked',
  'token_replayed',
  'upstream_not_allowed',
  'revoked_mid_stream',
];

/**
 * A request as an OCSF API Activity (class 6003), profiles `ai_operation`, `security_control` and `trace`.
 *
 * An allowed request leaves two records; give `request.authorized` and then `request.completed` to get one event with all
 * there is. Alone, an authorized one has status Unknown, and a slim completed one names nobody.
 *
 * @returns `undefined` for records that are not about a request.
 * @throws TypeError where the two records are not of one request.
 * @see https://schema.ocsf.io/classes/api_activity
 */
export function ocsfActivity(record: AuditRecord, completed?: AuditRecord): OcsfEvent | undefined {
  if (!record.type.startsWith('request.')) return undefined;
  if (completed !== undefined && (completed.requestId === undefined || completed.requestId !== record.requestId)) {
    throw new TypeError('ocsfActivity: the records are not of one request');
  }
  // The end of a request says more of the upstream, and knows no less of the rest than it says.
  const request: AuditRecord = {
    ...record,
    ...present(completed ?? {}),
    id: record.id,
    type: record.type,
    time: record.time,
  };
  const [activityId, activityName] = activityOf(request.operation?.method);
  return present({
    ...{ category_uid: 6, category_name: 'Application Activity', class_uid: CLASS_UID, class_name: 'API Activity' },
    activity_id: activityId,
    activity_name: activityName,
    type_uid: CLASS_UID * 100 + activityId,
    type_name: `API Activity: ${activityName}`,
    time: Date.parse(record.time),
    duration: request.durationMs === undefined ? undefined : Math.round(request.durationMs),
    count: request.count,
    ...severityOf(request),
    ...statusOf(request),
    ...dispositionOf(request),
    metadata: metadataOf(request, ['ai_operation', 'security_control', 'trace']),
    actor: actorOf(request),
    ai_agent: agentOf(request),
    delegation: delegationOf(request),
    trace: request.traceId === undefined ? undefined : { uid: request.traceId },
    src_endpoint: request.peer === undefined ? { name: 'unknown' } : { ip: request.peer },
    dst_endpoint: endpointOf(request.upstream?.host),
    api: apiOf(request),
    http_request: present({
      uid: request.requestId,
      http_method: request.operation?.method,
      url: request.path === undefined ? undefined : { path: request.path },
      length: request.requestBytes,
    }),
    http_response:
      request.status === undefined ? undefined : present({ code: request.status, length: request.responseBytes }),
    resources: request.resource === undefined ? undefined : [{ uid: request.resource, type: 'API' }],
    unmapped: unmappedOf(request, completed),
  });
}

function activityOf(method: string | undefined): readonly [number, string] {
  if (method === undefined) return [0, 'Unknown'];
  return Object.hasOwn(ACTIVITIES, method) ? ACTIVITIES[method]! : [99, method];
}

function severityOf({ decision, error, outcome }: AuditRecord): OcsfEvent {
  if (ALARMING.includes(error) || ALARMING.includes(outcome)) return { severity_id: 3, severity: 'Medium' };
  const ordinary = decision !== 'denied' && error === undefined && (outcome === undefined || outcome === 'executed');
  return ordinary ? { severity_id: 1, severity: 'Informational' } : { severity_id: 2, severity: 'Low' };
}

function statusOf({ decision, outcome, error, status, reason }: AuditRecord): OcsfEvent {
  const known = outcome !== undefined || decision !== 'allowed';
  const good =
    decision !== 'denied' && error === undefined && (outcome ?? 'executed') === 'executed' && (status ?? 0) < 400;
  const verdict = !known ? [0, 'Unknown'] : good ? [1, 'Success'] : [2, 'Failure'];
  return {
    status_id: verdict[0],
    status: verdict[1],
    ...present({ status_code: error ?? status?.toString(), status_detail: reason }),
  };
}

function dispositionOf({ decision, policies }: AuditRecord): OcsfEvent {
  const policy = policies === undefined ? {} : { authorizations: policies.map((name) => ({ policy: { name } })) };
  if (decision === undefined) return policy;
  return decision === 'denied'
    ? { action_id: 2, action: 'Denied', disposition_id: 2, disposition: 'Blocked', ...policy }
    : { action_id: 1, action: 'Allowed', disposition_id: 1, disposition: 'Allowed', ...policy };
}

/** Where an event comes from, and what it is about. */
export function metadataOf(
  { id, type, requestId, gatewayId, zoneId }: AuditRecord,
  profiles: readonly string[],
): OcsfEvent {
  return present({
    version: OCSF_VERSION,
    product: { name: 'Caracal', vendor_name: 'Caracal', uid: gatewayId },
    profiles,
    log_name: 'caracal.audit',
    uid: id,
    event_code: type,
    correlation_uid: requestId,
    tenant_uid: zoneId,
  });
}

function apiOf({ operation, resource, requestId, status, error, reason }: AuditRecord): OcsfEvent {
  const method = operation?.method ?? 'unknown';
  return present({
    operation: operation?.name ?? (operation?.template === undefined ? method : `${method} ${operation.template}`),
    service: resource === undefined ? undefined : { name: resource, uid: resource },
    request: requestId === undefined ? undefined : { uid: requestId },
    response: status === undefined ? undefined : present({ code: status, error, error_message: reason }),
  });
}

function endpointOf(host: string | undefined): OcsfEvent | undefined {
  if (host === undefined) return undefined;
  const [, hostname = host, port] = /^(.*):(\d{1,5})$/.exec(host) ?? [];
  return present({ hostname, port: port === undefined ? undefined : Number(port) });
}

function unmappedOf(request: AuditRecord, completed: AuditRecord | undefined): OcsfEvent {
  const { bootId, clientRequestId, outcome, attempts, firstByteMs, provider, upstream, hopCount } = request;
  const { delegationPath, delegationChain } = request;
  return present({
    bootId,
    completedId: completed?.id,
    clientRequestId,
    outcome,
    attempts,
    firstByteMs,
    provider,
    upstreamStatus: upstream?.status,
    hopCount,
    delegationPath,
    delegationChain,
  });
}
