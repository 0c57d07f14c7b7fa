import type { Anchor } from './anchor.js';

/** One link of the delegation chain, root first. */
export interface ChainLink {
  readonly applicationId: string;
  readonly agentSessionId?: string;
  readonly delegationEdgeId?: string;
}

/** How authority came to this mandate, when it was delegated. */
export interface Delegation {
  readonly edgeId: string | undefined;
  /** Edge ids, root to leaf. */
  readonly path: readonly string[];
  readonly chain: readonly ChainLink[];
  readonly hopCount: number;
  readonly graphEpoch: string | number | undefined;
}

/** A verified mandate: every claim below was signed by a trusted issuer and has passed its checks. */
export interface Mandate {
  readonly issuer: string;
  readonly zoneId: string;
  readonly subject: string;
  readonly subjectType: 'application' | 'user' | undefined;
  /** `client_id`: the acting application. */
  readonly applicationId: string;
  readonly audience: readonly string[];
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  readonly use: 'gateway' | 'resource';
  readonly scopes: ReadonlySet<string>;
  /** Resource identifiers it may reach. */
  readonly targets: readonly string[];
  readonly sessionId: string | undefined;
  readonly rootSessionId: string | undefined;
  readonly agentSessionId: string | undefined;
  readonly delegation: Delegation | undefined;
  /** Everything that can revoke it. */
  readonly anchors: readonly Anchor[];
}
