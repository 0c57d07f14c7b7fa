/** What to do about a probe that failed, by what follows `token_endpoint_`, `authorization_endpoint_` or stands alone. */
const REMEDIES: Readonly<Record<string, string>> = {
  invalid_client: 'clientId, clientAuthentication and the secret or key have to be those the server knows',
  unauthorized_client: 'let the server allow this client that grant',
  unsupported_grant_type: 'the server does not know that grant',
  unsupported_response_type: 'let the server allow this client authorization codes',
  invalid_scope: 'scopes have to be those the server grants this client',
  invalid_target: 'resource and audience have to be those the server knows',
  invalid_grant: 'the server takes the assertion not: look at assertion, keyId and the clock',
  not_found: 'look for a slip in the endpoint, or in the issuer whose metadata names it',
  redirects: 'redirects are not followed with secrets: name the address it leads to',
  refused: 'look at clientId and whether redirectUri is registered there, to the character',
  address: 'set allowPrivateNetwork if it is meant to be there',
  unreachable: 'look at issuer and tokenEndpoint, and whether this host may reach them',
  timeout: 'look whether this host may reach it; or raise timeoutMs',
  rate_limited: 'try again later',
  server_error: 'try again later; ask whoever runs it',
  insecure: 'secrets go to https, or http on loopback, alone',
  issuer_mismatch: 'write issuer as its metadata does',
  issuer_metadata_missing: 'look for a slip in issuer; or give tokenEndpoint, where the server has no metadata',
  token_answer_not_json: 'that is no token endpoint: look for a slip',
  private_key_malformed: 'give a PEM or a JWK without a passphrase',
};

/** For a reason as records have it. */
export function probeRemedy(reason: string): string | undefined {
  return REMEDIES[reason] ?? REMEDIES[reason.replace(/^(token|authorization)_endpoint_/, '')];
}
