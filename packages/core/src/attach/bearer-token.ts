import { refuseUnknownOptions } from '../option-checks.js';
import { headerCredential, unusableToken } from './credential.js';
import type { Provider } from './provider.js';
import { authenticationScheme, credentialHeaderName, providerId, providerOrigins } from './provider-options.js';
import { secretCredentialProvider } from './secret-credential.js';
import { type SecretOption, secretSource } from './secret-source.js';

/** Options of {@link bearerToken}. */
export interface BearerTokenOptions extends SecretOption {
  readonly id: string;
  /** Default `Authorization`. */
  readonly headerName?: string;
  /** Default `Bearer`. */
  readonly scheme?: string;
  /** Origins the token may go to; needed unless every upstream is loopback. */
  readonly origins?: readonly string[];
}

/** Defaults of {@link BearerTokenOptions}. */
export const BEARER_TOKEN_DEFAULTS = Object.freeze({ headerName: 'Authorization', scheme: 'Bearer' });

const KNOWN = ['id', 'secret', 'secrets', 'headerName', 'scheme', 'origins'];

/**
 * A provider that attaches a long-lived token: `Authorization: Bearer <secret>`, or another header and scheme. A secret that
 * is not visible ASCII is answered `credential_unavailable`.
 *
 * @throws TypeError at creation. @see RFC 6750 section 2.1
 */
export function bearerToken(options: BearerTokenOptions): Provider {
  refuseUnknownOptions('bearerToken', options, KNOWN);
  const id = providerId('bearerToken', options.id);
  const origins = providerOrigins('bearerToken', options.origins);
  const name = credentialHeaderName('bearerToken', options.headerName ?? BEARER_TOKEN_DEFAULTS.headerName);
  const scheme = authenticationScheme('bearerToken', options.scheme ?? BEARER_TOKEN_DEFAULTS.scheme);
  const place = { providerId: id, field: 'secret', origins: origins ?? [] };
  return secretCredentialProvider({
    id,
    kind: 'bearer_token',
    origins,
    headerNames: [name],
    source: secretSource('bearerToken', options, place),
    compose: (secret) => unusableToken(secret) ?? headerCredential(name, `${scheme} ${secret}`, [secret]),
  });
}
