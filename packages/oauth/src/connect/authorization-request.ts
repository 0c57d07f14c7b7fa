import { createHash } from 'node:crypto';
import type { TokenClient } from '../client/token-client.js';
import { OAuthFault } from '../oauth-fault.js';
import type { ConnectSession } from './session.js';

/** What is asked for at an authorization endpoint. */
export interface AuthorizationRequest {
  readonly client: TokenClient;
  readonly redirectUri: string;
  readonly session: Pick<ConnectSession, 'once' | 'verifier' | 'nonce'>;
  readonly scopeParameter: string;
  readonly extra: readonly (readonly [string, string])[];
  /** An ID token is wanted. */
  readonly withNonce: boolean;
}

/** The address of an authorization request with PKCE. @throws OAuthFault @see RFC 6749 section 4.1.1, RFC 7636 section 4.3 */
export async function authorizationUrl(request: AuthorizationRequest): Promise<URL> {
  const { client, redirectUri, session, scopeParameter, extra, withNonce } = request;
  const { clientId, scopeText, audience, resources } = client.settings;
  const { authorization_endpoint: endpoint } = await client.server();
  if (endpoint === undefined) throw new OAuthFault('authorization_endpoint_missing');
  const url = new URL(endpoint);
  for (const [name, value] of extra) url.searchParams.append(name, value);
  if (audience !== undefined) url.searchParams.set('audience', audience);
  for (const resource of resources) url.searchParams.append('resource', resource);
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    state: session.once,
    code_challenge: createHash('sha256').update(session.verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(scopeText !== undefined && { [scopeParameter]: scopeText }),
    ...(withNonce && { nonce: session.nonce }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url;
}
