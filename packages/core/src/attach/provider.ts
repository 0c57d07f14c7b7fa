import type { Denial } from '../errors.js';
import type { Presence } from '../head/head.js';
import type { Awaitable } from '../pipeline.js';
import type { Resource } from '../resolve/resource.js';
import type { Mandate } from '../verify/mandate.js';

/** Reason of a provider's denial where the caller has left while it waited: nobody is answered, and nobody refused. */
export const CALLER_LEFT = 'caller_left';

export type ProviderKind =
  | 'none'
  | 'caracal_mandate'
  | 'oauth2_client_credentials'
  | 'oauth2_authorization_code'
  | 'api_key'
  | 'bearer_token'
  | 'http_basic';

/** Whose credential is asked for, and for which resource. */
export interface CredentialRequest {
  readonly mandate: Mandate;
  /** The mandate's text, for the one provider kind that sends it on. */
  readonly token: string;
  readonly resource: Resource;
  /** Of the caller: a wait for a token ends when it has gone. Absent where nobody can tell. */
  readonly presence?: Presence | undefined;
}

/** What is added to one request. Lives as long as the exchange, goes into no record. */
export interface Credential {
  /** Flat name, value list. */
  readonly headers: readonly string[];
  /** A query parameter: every one of this name is removed, this one appended. Both already percent-encoded. */
  readonly query: { readonly name: string; readonly value: string } | undefined;
  /** Texts that must not come back in a response header. */
  readonly secrets: readonly string[];
  /** Id of the upstream account, where there is one. */
  readonly connection: string | undefined;
}

/** How an upstream's own credential is attached. Made by one factory a kind: `apiKey`, `bearerToken`, ... */
export interface Provider {
  readonly id: string;
  readonly kind: ProviderKind;
  /** Origins the credential may go to; `undefined` where there is no credential to protect. */
  readonly origins: readonly string[] | undefined;
  /** Headers that carry the credential, lower case: removed from what the caller sent. */
  readonly headerNames: readonly string[];
  /** Whether `renew` can help after the upstream has answered 401. */
  readonly renewable: boolean;
  /** A throw is answered `credential_unavailable`. */
  attach(request: CredentialRequest): Awaitable<Credential | Denial>;
  /** Another credential after this one was refused, or the same where it cannot be renewed now. */
  renew(request: CredentialRequest, refused: Credential): Promise<Credential | Denial>;
}
