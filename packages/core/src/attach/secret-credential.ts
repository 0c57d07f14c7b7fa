import type { Denial } from '../errors.js';
import { type Awaitable, chain } from '../pipeline.js';
import type { Credential, CredentialRequest, Provider, ProviderKind } from './provider.js';
import type { Secret } from './secret.js';
import type { SecretSource } from './secret-source.js';

/** A provider whose credential is made of one secret and nothing of the request. */
export interface SecretCredentialOptions {
  readonly id: string;
  readonly kind: ProviderKind;
  readonly origins: readonly string[] | undefined;
  readonly headerNames: readonly string[];
  readonly source: SecretSource;
  /** Makes the credential of a secret's text, or says why this text cannot be one. */
  readonly compose: (secret: string) => Credential | Denial;
}

/**
 * A provider that makes its credential once per secret: as long as the source answers the same `Secret`, every request
 * gets the same frozen object, synchronously.
 */
export function secretCredentialProvider(options: SecretCredentialOptions): Provider {
  const { id, kind, origins, headerNames, source, compose } = options;
  let last: { readonly secret: Secret; readonly outcome: Credential | Denial } | undefined;

  const credentialOf = (secret: Secret): Credential | Denial => {
    if (last?.secret !== secret) last = { secret, outcome: compose(secret.reveal()) };
    return last.outcome;
  };
  const attach = ({ resource }: CredentialRequest): Awaitable<Credential | Denial> =>
    chain(source.open(resource.zoneId), credentialOf);

  return Object.freeze({
    id,
    kind,
    origins,
    headerNames: Object.freeze(headerNames.map((name) => name.toLowerCase())),
    // The upstream has refused a secret that only people can replace.
    renewable: false,
    attach,
    renew: async (request: CredentialRequest) => attach(request),
  });
}
