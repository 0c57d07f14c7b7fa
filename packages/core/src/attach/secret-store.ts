import type { Awaitable } from '../pipeline.js';
import type { Secret } from './secret.js';

/** Where a secret is kept. Exactly one member. */
export type SecretReference = { readonly sealed: string } | { readonly env: string } | { readonly file: string };

/** What a sealed secret is bound to: opened for anything else, it does not open. */
export interface SecretBinding {
  readonly zoneId: string;
  readonly providerId: string;
  /** `secret`, `clientSecret`, ... */
  readonly field: string;
  /** Origins the credential may go to, as configured. */
  readonly origins: readonly string[];
}

/** Port: open this secret. A throw means it cannot be had, and is answered `credential_unavailable`. */
export interface SecretStore {
  open(reference: SecretReference, binding: SecretBinding): Awaitable<Secret>;
}
