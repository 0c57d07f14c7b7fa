import { randomBytes } from 'node:crypto';
import { type AuthorizationRequest, authorizationUrl } from '../connect/authorization-request.js';
import { boundedFetch, type FetchLimits, headerOf } from '../http/bounded-fetch.js';
import { OAuthFault } from '../oauth-fault.js';

/** No code of this name exists: a server that says so has accepted the client. */
const NO_CODE = 'caracal-check';
/** What an authorization endpoint sends back where the request itself is wrong, whoever signs in. */
const WRONG_REQUESTS: readonly (string | null)[] = [
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'unauthorized_client',
  'unsupported_response_type',
  'server_error',
];
/** The page was sent, only larger than what is read, or compressed against our wish: people see it all the same. */
const ANSWERED: readonly string[] = ['token_endpoint_too_large', 'token_endpoint_encoded'];

/**
 * Tries what can be tried of a client that people sign in with, without a person: the metadata; the client's authentication, by a code
 * that nobody has; and whether the authorization endpoint takes the request and its redirect URI.
 *
 * @throws OAuthFault `issuer_<why>`, `token_endpoint_<why>`, `authorization_endpoint_<why>`
 * @see RFC 6749 sections 4.1.2.1 and 5.2
 */
export async function probeInteractive(request: Omit<AuthorizationRequest, 'session'>, zoneId: string): Promise<void> {
  const { client, redirectUri } = request;
  const limits = client.limits();
  const verifier = randomBytes(32).toString('base64url');
  const code = [
    ['code', NO_CODE],
    ['redirect_uri', redirectUri],
    ['code_verifier', verifier],
  ] as [string, string][];
  await client.request(zoneId, 'authorization_code', code, limits).catch((cause: unknown) => {
    if (!(cause instanceof OAuthFault && cause.reason === 'token_endpoint_invalid_grant')) throw cause;
  });
  const session = { once: randomBytes(16).toString('base64url'), verifier, nonce: verifier };
  await probeAuthorizationEndpoint(await authorizationUrl({ ...request, session }), redirectUri, limits);
}

async function probeAuthorizationEndpoint(url: URL, redirectUri: string, limits: FetchLimits): Promise<void> {
  const endpoint = url.origin + url.pathname;
  let answer: Awaited<ReturnType<typeof boundedFetch>>;
  try {
    answer = await boundedFetch(url.href, { method: 'GET', headers: { Accept: 'text/html' } }, limits);
  } catch (cause) {
    if (!(cause instanceof OAuthFault)) throw cause;
    if (ANSWERED.includes(cause.reason)) return;
    const { explanation } = cause;
    const reason = cause.reason.replace(/^token_endpoint/, 'authorization_endpoint');
    throw new OAuthFault(reason, explanation === undefined ? {} : { explanation });
  }
  const { status } = answer;
  if (status === 404 || status === 410) {
    throw new OAuthFault('authorization_endpoint_not_found', { explanation: `${endpoint} answers ${status}` });
  }
  if (status === 400) {
    // Instead of a redirect: what is wrong is the client or where the browser would be sent back to.
    const explanation = `${endpoint} answers 400 to clientId with the redirect URI ${redirectUri}`;
    throw new OAuthFault('authorization_endpoint_refused', { explanation });
  }
  if (status >= 500) {
    throw new OAuthFault('authorization_endpoint_server_error', { explanation: `${endpoint} answers ${status}` });
  }
  const location = headerOf(answer, 'location');
  if (status < 300 || status >= 400 || location === undefined || !URL.canParse(location, url)) return;
  const back = new URL(location, url);
  const error = back.searchParams.get('error');
  // Whatever else is said (sign in, consent) is said to a person.
  if (back.href.startsWith(redirectUri) && WRONG_REQUESTS.includes(error)) {
    throw new OAuthFault(`authorization_endpoint_${error}`, { explanation: `${endpoint} answers ${error}` });
  }
}
