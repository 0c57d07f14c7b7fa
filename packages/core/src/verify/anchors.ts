import type { Anchor, AnchorKind } from './anchor.js';
import type { Mandate } from './mandate.js';

/**
 * Everything that can revoke a mandate: its sessions, each edge it was delegated over, itself, its application and its
 * subject. Absent claims have no anchor, and no anchor occurs twice.
 */
export function anchorsOf(mandate: Omit<Mandate, 'anchors'>): readonly Anchor[] {
  const { zoneId, issuer, delegation } = mandate;
  const anchors: Anchor[] = [];
  const add = (kind: AnchorKind, id: string | undefined) => {
    if (id !== undefined) anchors.push(Object.freeze({ zoneId, issuer, kind, id }));
  };
  add('sid', mandate.sessionId);
  add('root_sid', mandate.rootSessionId);
  add('agent_session_id', mandate.agentSessionId);
  if (delegation !== undefined) {
    for (const edge of new Set(delegation.path)) add('delegation_edge_id', edge);
    if (delegation.edgeId !== undefined && !delegation.path.includes(delegation.edgeId)) {
      add('delegation_edge_id', delegation.edgeId);
    }
  }
  add('jti', mandate.jti);
  add('client_id', mandate.applicationId);
  add('sub', mandate.subject);
  return Object.freeze(anchors);
}
