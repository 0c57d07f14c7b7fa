import type { Awaitable } from '../pipeline.js';
import type { Mandate } from '../verify/mandate.js';

/** The question put to an authorizer. */
export interface AuthorizationRequest {
  readonly requestId: string;
  readonly principal: Mandate;
  readonly resource: { readonly zoneId: string; readonly identifier: string };
  /** `template` and `name` are `undefined` where no declared operation applies. */
  readonly operation: {
    readonly method: string;
    readonly template: string | undefined;
    readonly name: string | undefined;
    /** Path as received, after the mount prefix, without query. */
    readonly path: string;
  };
  readonly peer: { readonly address: string };
}

/** `reason` and `policies` go to the record, never to the caller. */
export interface AuthorizationDecision {
  readonly allowed: boolean;
  readonly reason?: string;
  readonly policies?: readonly string[];
}

/** Port: may this principal do this operation on this resource? It can only narrow what the fixed checks allowed. */
export interface Authorizer {
  authorize(request: AuthorizationRequest): Awaitable<AuthorizationDecision>;
}
