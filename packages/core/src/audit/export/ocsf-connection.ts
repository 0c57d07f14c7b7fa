import type { AuditRecord } from '../record.js';
import { metadataOf, type OcsfEvent } from './ocsf.js';
import { present } from './present.js';

const CLASS_UID = 3004;
const ACTIVITIES: Readonly<Record<string, readonly [id: number, name: string]>> = Object.freeze({
  'connection.invited': [99, 'Invite'],
  'connection.made': [1, 'Create'],
  'connection.denied': [1, 'Create'],
  'connection.lost': [9, 'Disable'],
  'connection.ended': [4, 'Delete'],
  'connection.revoked': [99, 'Revoke'],
  'connection.not_revoked': [99, 'Revoke'],
});
/** Of these somebody should know: an account acts no more, or tokens outlive their connection. */
const FAILURES: readonly string[] = ['connection.denied', 'connection.lost', 'connection.not_revoked'];

/**
 * What happened to a connected account as an OCSF Entity Management event (class 3004).
 *
 * @returns `undefined` for records that are not about a connection.
 * @see https://schema.ocsf.io/classes/entity_management
 */
export function ocsfConnection(record: AuditRecord): OcsfEvent | undefined {
  const activity = Object.hasOwn(ACTIVITIES, record.type) ? ACTIVITIES[record.type] : undefined;
  if (activity === undefined) return undefined;
  const [activityId, activityName] = activity;
  const failed = FAILURES.includes(record.type);
  const { provider, subject, issuer, applicationId, initiator, resource, scopes, bootId } = record;
  const person = subject === undefined ? undefined : { uid: subject, type_id: 0 };
  const idp = issuer === undefined ? undefined : { uid: issuer, name: issuer };
  return present({
    ...{ category_uid: 3, category_name: 'Identity & Access Management' },
    ...{ class_uid: CLASS_UID, class_name: 'Entity Management' },
    activity_id: activityId,
    activity_name: activityName,
    type_uid: CLASS_UID * 100 + activityId,
    type_name: `Entity Management: ${activityName}`,
    time: Date.parse(record.time),
    count: record.count,
    ...(failed ? { severity_id: 2, severity: 'Low' } : { severity_id: 1, severity: 'Informational' }),
    ...(failed ? { status_id: 2, status: 'Failure' } : { status_id: 1, status: 'Success' }),
    status_detail: record.reason,
    metadata: metadataOf(record, []),
    // Who did it is not always whose it is: an administrator has no name here.
    actor: initiator === 'person' ? present({ user: person, idp }) : { app_name: initiator ?? 'unknown' },
    src_endpoint: record.peer === undefined ? undefined : { ip: record.peer },
    entity: present({
      type: 'Connected account',
      uid: provider?.connection,
      name: provider?.id ?? 'unknown',
      data: present({ subject: subject ?? (provider === undefined ? undefined : 'shared'), issuer, scopes }),
    }),
    unmapped: present({ bootId, applicationId, resource, initiator }),
  });
}
