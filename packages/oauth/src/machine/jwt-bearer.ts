import { randomUUID } from 'node:crypto';
import { refuseUnknownOptions, wholeNumber } from '@caracal/core';
import type { AuthorizationServer } from 'oauth4webapi';
import { textOf } from '../client/client-options.js';
import type { TokenClient } from '../client/token-client.js';

/** `grant_type` of RFC 7523 section 2.1. */
export const JWT_BEARER_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Claims of the assertion that is exchanged for a token. */
export interface AssertionOptions {
  /** `iss`. Default the client id. */
  readonly issuer?: string;
  /** `sub`: whom to act for. Default the issuer. */
  readonly subject?: string;
  /** `aud`. Default the issuer of the authorization server, else its token endpoint. */
  readonly audience?: string;
  /** Default 60, at most 3,600. */
  readonly lifetimeSeconds?: number;
  /** Claims of the vendor's own. None can be one of those above. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Scopes stand in the claim `scope` and not in the form, as Google wants it. */
  readonly scopeInAssertion?: boolean;
}

/** Checked. */
export interface AssertionSettings extends AssertionOptions {
  readonly lifetimeSeconds: number;
}

const DEFAULT_LIFE_SECONDS = 60;
const OWN_CLAIMS = ['iss', 'sub', 'aud', 'iat', 'nbf', 'exp', 'jti', 'scope'];

/** Checks the options of an assertion. @throws TypeError */
export function assertionSettings(factory: string, options: AssertionOptions = {}): AssertionSettings {
  const name = `${factory}: assertion`;
  refuseUnknownOptions(name, options, [
    'issuer',
    'subject',
    'audience',
    'lifetimeSeconds',
    'claims',
    'scopeInAssertion',
  ]);
  for (const member of ['issuer', 'subject', 'audience'] as const) {
    if (options[member] !== undefined) textOf(name, member, options[member]);
  }
  const lifetimeSeconds = wholeNumber(name, 'lifetimeSeconds', options.lifetimeSeconds ?? DEFAULT_LIFE_SECONDS);
  if (lifetimeSeconds > 3_600) throw new TypeError(`${name}: lifetimeSeconds is at most 3600`);
  for (const claim of Object.keys(options.claims ?? {})) {
    if (OWN_CLAIMS.includes(claim)) throw new TypeError(`${name}: claims: ${claim} has an option of its own`);
  }
  return { ...options, lifetimeSeconds };
}

/** The parameters of a request with an assertion signed now. @throws OAuthFault @see RFC 7523 section 3 */
export async function assertionParameters(
  client: TokenClient,
  assertion: AssertionSettings,
  server: AuthorizationServer,
  zoneId: string,
): Promise<[string, string][]> {
  const { settings } = client;
  const { issuer = settings.clientId, subject = issuer, scopeInAssertion = false, lifetimeSeconds } = assertion;
  const parameters = client.commonParameters();
  const { scopeText } = settings;
  const signed = await client.signer.sign(await client.open(settings.privateKey, zoneId), {
    ...assertion.claims,
    iss: issuer,
    sub: subject,
    aud: assertion.audience ?? settings.issuer ?? server.token_endpoint,
    ...client.assertionTimes(lifetimeSeconds),
    jti: randomUUID(),
    ...(scopeInAssertion && scopeText !== undefined && { scope: scopeText }),
  });
  const sent = scopeInAssertion ? parameters.filter(([name]) => name !== 'scope') : parameters;
  return [...sent, ['assertion', signed]];
}
