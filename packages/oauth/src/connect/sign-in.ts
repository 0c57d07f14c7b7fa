import { refuseUnknownOptions, type Secret, type SecretReference } from '@caracal/core';
import { type ClientAuthenticationMethod, clientSettings, endpointUrl, textOf } from '../client/client-options.js';
import { TokenClient } from '../client/token-client.js';
import type { Services } from '../services.js';
import { CONNECT_PATH, type ConnectLinks, pathName } from './links.js';

/** Where the subjects of one issuer sign in, by OpenID Connect. */
export interface SignInOptions {
  /** The issuer of the mandates whose subjects these are. */
  readonly issuer: string;
  /** The OpenID provider. Default the issuer itself. */
  readonly at?: string;
  readonly clientId: string;
  readonly clientAuthentication?: ClientAuthenticationMethod;
  readonly clientSecret?: Secret | SecretReference;
  readonly privateKey?: Secret | SecretReference;
  /** Default `openid`. */
  readonly scopes?: readonly string[];
  /** The claim of the ID token that is the mandate's `sub`. Default `sub`. `email` counts only with `email_verified`. */
  readonly subjectClaim?: string;
  readonly allowPrivateNetwork?: boolean | readonly string[];
  /** To the character. Default `<publicUrl>/connect/signed-in/<host of at>`. */
  readonly redirectUri?: string;
}

/** Checked. */
export interface SignIn {
  readonly issuer: string;
  readonly client: TokenClient;
  readonly subjectClaim: string;
  readonly redirectUri: string;
}

const KNOWN = [
  'issuer',
  'at',
  'clientId',
  'clientAuthentication',
  'clientSecret',
  'privateKey',
  'scopes',
  'subjectClaim',
  'allowPrivateNetwork',
  'redirectUri',
];

/** Name of the binding of a sign-in's secret: `sign-in:<issuer>`. */
export function signInPlaceId(issuer: string): string {
  return `sign-in:${issuer}`;
}

/** Checks where people sign in. @throws TypeError */
export function signInOf(factory: string, options: SignInOptions, links: ConnectLinks, services: Services): SignIn {
  const name = `${factory}: signIn`;
  refuseUnknownOptions(name, options, KNOWN);
  const {
    issuer,
    at = issuer,
    subjectClaim = 'sub',
    scopes = ['openid'],
    redirectUri,
    allowPrivateNetwork,
    ...client
  } = options;
  textOf(name, 'issuer', issuer);
  if (!scopes.includes('openid')) throw new TypeError(`${name}: scopes must include openid`);
  const { clientId, clientAuthentication, clientSecret, privateKey } = client;
  const settings = clientSettings(
    name,
    {
      issuer: endpointUrl(name, 'at', at),
      clientId,
      scopes,
      ...(clientAuthentication !== undefined && { clientAuthentication }),
      ...(clientSecret !== undefined && { clientSecret }),
      ...(privateKey !== undefined && { privateKey }),
      ...(allowPrivateNetwork !== undefined && { allowPrivateNetwork }),
    },
    { providerId: signInPlaceId(issuer), origins: undefined, secrets: services.secrets },
  );
  return Object.freeze({
    issuer,
    client: new TokenClient(settings, { interactive: true }, services.outbound, services.clock),
    subjectClaim: textOf(name, 'subjectClaim', subjectClaim),
    redirectUri: endpointUrl(
      name,
      'redirectUri',
      redirectUri ?? `${links.publicUrl}${CONNECT_PATH}/signed-in/${pathName(at)}`,
    ),
  });
}
