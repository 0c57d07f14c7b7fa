import {
  authenticationScheme,
  BEARER_TOKEN_DEFAULTS,
  credentialHeaderName,
  providerId,
  providerOrigins,
} from '@caracal/core';

/** What a provider that attaches an access token has in common with others. */
export interface TokenProviderOptions {
  readonly id: string;
  /** Origins the token may go to; needed unless every upstream is loopback. */
  readonly origins?: readonly string[];
  /** Default `Authorization`. */
  readonly headerName?: string;
  /** Default `Bearer`. */
  readonly scheme?: string;
}

/** Names of {@link TokenProviderOptions}. */
export const TOKEN_PROVIDER_OPTIONS: readonly (keyof TokenProviderOptions)[] = [
  'id',
  'origins',
  'headerName',
  'scheme',
];

/** Checked. */
export interface TokenProviderMembers {
  readonly id: string;
  readonly origins: readonly string[] | undefined;
  readonly headerName: string;
  readonly scheme: string;
}

/** Checks them. @throws TypeError */
export function tokenProviderMembers(factory: string, options: TokenProviderOptions): TokenProviderMembers {
  return {
    id: providerId(factory, options.id),
    origins: providerOrigins(factory, options.origins),
    headerName: credentialHeaderName(factory, options.headerName ?? BEARER_TOKEN_DEFAULTS.headerName),
    scheme: authenticationScheme(factory, options.scheme ?? BEARER_TOKEN_DEFAULTS.scheme),
  };
}
