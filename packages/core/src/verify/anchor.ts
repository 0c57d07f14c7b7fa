/** The claim an anchor comes from. */
export type AnchorKind = 'sid' | 'root_sid' | 'agent_session_id' | 'delegation_edge_id' | 'jti' | 'client_id' | 'sub';

/** What a revocation can name. Kept as fields: joined text would let one part pose as another. */
export interface Anchor {
  readonly zoneId: string;
  readonly issuer: string;
  readonly kind: AnchorKind;
  readonly id: string;
}
