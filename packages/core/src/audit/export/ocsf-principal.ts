import type { AuditRecord } from '../record.js';
import { present } from './present.js';

/** Values of `user.type_id`. */
const USER_TYPES: Readonly<Record<string, number>> = Object.freeze({ user: 1, application: 4 });

/** Who acted: the subject, the application that acts for it, its session, and who vouches for them. */
export function actorOf(record: AuditRecord): object {
  const { subject, subjectType, applicationId, issuer } = record;
  // The schema wants at least one member; a caller nobody has vouched for has none.
  if (applicationId === undefined) return { app_name: 'unauthenticated' };
  return present({
    app_uid: applicationId,
    user: subject === undefined ? undefined : present({ uid: subject, type_id: USER_TYPES[subjectType ?? ''] ?? 0 }),
    session: sessionOf(record),
    idp: issuer === undefined ? undefined : { uid: issuer, name: issuer },
  });
}

function sessionOf({ sessionId, rootSessionId, issuer, jti }: AuditRecord): object | undefined {
  if (sessionId === undefined && jti === undefined) return undefined;
  return present({ uid: sessionId, uid_alt: rootSessionId, issuer, credential_uid: jti });
}

/**
 * The agent, as a gateway sees it: by the application its mandate names, which lasts, and by its session, which is one run.
 *
 * @see OCSF object `ai_agent`
 */
export function agentOf({ applicationId, agentSessionId, sessionId }: AuditRecord): object | undefined {
  if (applicationId === undefined) return undefined;
  return present({ uid: applicationId, instance_uid: agentSessionId ?? sessionId, type_id: 0 });
}

/** The delegation the agent acted under: the last edge of its path. @see OCSF object `delegation` */
export function delegationOf({ delegationPath, issuer, resource }: AuditRecord): object | undefined {
  const uid = delegationPath?.at(-1);
  if (uid === undefined) return undefined;
  return present({ uid, parent_uid: delegationPath?.at(-2), issuer_uid: issuer, audience: resource });
}
