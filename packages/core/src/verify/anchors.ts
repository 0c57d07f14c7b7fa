import type { Anchor, AnchorKind } from './anchor.js';
import type { Mandate } from './mandate.js';

/**
 * Everything that can revoke a mandate: its sessions, each edge it was delegated over, itself, its application and its
 * subject, and the applications and agent sessions its authority came through: what somebody who is revoked has handed on
 * ends too. Absent claims have no anchor, and no anchor occurs twice.
 */
export function anchorsOf(mandate: Omit<Mandate, 'anchors'>): readonly Anchor[] {
  const { zoneId, issuer, delegation } = mandate;
  const anchors: Anchor[] = [];
  const add = (kind: AnchorKind, id: string | undefined) => {
    if (id === undefined || anchors.some((known) => known.kind === kind && known.id === id)) return;
    anchors.push(Object.freeze({ zoneId, issuer, kind, id }));
  };
  add('sid', mandate.sessionId);
  add('root_sid', mandate.rootSessionId);
  add('agent_session_id', mandate.agentSessionId);
  for (const edge of delegation?.path ?? []) add('delegation_edge_id', edge);
  add('delegation_edge_id', delegation?.edgeId);
  add('jti', mandate.jti);
  add('client_id', mandate.applicationId);
  add('sub', mandate.subject);
  for (const { applicationId, agentSessionId, delegationEdgeId } of delegation?.chain ?? []) {
    add('client_id', applicationId);
    add('agent_session_id', agentSessionId);
    add('delegation_edge_id', delegationEdgeId);
  }
  return Object.freeze(anchors);
}
