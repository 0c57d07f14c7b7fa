import type { JsonObject } from '@caracal/core';
import { CLIENT_AUTHENTICATION_METHODS, CLIENT_CREDENTIALS, TOKEN_EXCHANGE } from '../oauth-names.js';
import type { Endpoints } from './endpoints.js';

/** Authorization server metadata. It names no scopes: strangers read it too. @see RFC 8414 section 2 */
export function authorizationServerMetadata(endpoints: Endpoints, assertionAlgorithms: readonly string[]): JsonObject {
  const methods = CLIENT_AUTHENTICATION_METHODS;
  return Object.freeze({
    issuer: endpoints.issuer,
    token_endpoint: endpoints.token,
    jwks_uri: endpoints.jwks,
    revocation_endpoint: endpoints.revocation,
    introspection_endpoint: endpoints.introspection,
    // Required, and there is no authorization endpoint: an empty list is what clients of such servers accept.
    response_types_supported: [],
    grant_types_supported: [TOKEN_EXCHANGE, CLIENT_CREDENTIALS],
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
    introspection_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
  });
}
