import {
  type AddressPolicy,
  addressPolicy,
  isScope,
  type Secret,
  type SecretReference,
  type SecretSource,
  type SecretStore,
  secretSource,
  wholeNumber,
} from '@caracal/core';
import { isSafeUrl } from '../http/bounded-fetch.js';
import { thumbprints } from './certificate.js';
import { ASSERTION_ALGORITHMS, type AssertionAlgorithm } from './private-key.js';
import { extraParameters } from './protocol-parameters.js';

/** How a client proves who it is. @see RFC 6749 section 2.3, RFC 7523 section 2.2 */
export type ClientAuthenticationMethod = 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';

/** What is asked of an authorization server, and as which client. */
export interface ClientOptions {
  /** Its metadata is fetched, and must name this very issuer. Not fetched where every endpoint is given. */
  readonly issuer?: string;
  /** https, or http on loopback. This or `issuer`. */
  readonly tokenEndpoint?: string;
  readonly clientId: string;
  /** Default by what there is: `client_secret_basic`, `private_key_jwt`, else `none`. */
  readonly clientAuthentication?: ClientAuthenticationMethod;
  readonly clientSecret?: Secret | SecretReference;
  /** PEM (PKCS#8, PKCS#1, SEC1) or a JWK as JSON. */
  readonly privateKey?: Secret | SecretReference;
  /** `kid` of assertions. */
  readonly keyId?: string;
  /** PEM; makes `x5t` and `x5t#S256` of assertions. */
  readonly certificate?: string;
  /** Default by the key: RS256, ES256, ES384, ES512, EdDSA. */
  readonly algorithm?: AssertionAlgorithm;
  /** `aud` of client assertions. Default the issuer, else the token endpoint. */
  readonly assertionAudience?: string;
  readonly scopes?: readonly string[];
  /** Between scopes. Default one space. */
  readonly scopeSeparator?: ' ' | ',';
  readonly audience?: string;
  /** RFC 8707: absolute URIs without fragment. */
  readonly resource?: string | readonly string[];
  /** Parameters of the vendor's own for the token endpoint. None can be one of the protocol. */
  readonly extraParameters?: Readonly<Record<string, string>>;
  /** Values of `token_type` taken as bearer tokens, besides `Bearer`. */
  readonly tokenTypes?: readonly string[];
  /** The member of the answer that holds the tokens. */
  readonly tokenMember?: string;
  /** How long a token is taken to live where the answer does not say, s. Default 600. */
  readonly assumedLifetimeSeconds?: number;
  /** For the endpoints, as of a resource. */
  readonly allowPrivateNetwork?: boolean | readonly string[];
  /** For everything one token costs, metadata included, ms. Default 5,000. */
  readonly timeoutMs?: number;
}

/** Where GitHub's API is, but for an Enterprise Server. */
export const GITHUB_API = 'https://api.github.com';

/** Defaults of {@link ClientOptions}. */
export const CLIENT_DEFAULTS = Object.freeze({ assumedLifetimeSeconds: 600, timeoutMs: 5_000 });

/** Names of {@link ClientOptions}. */
export const CLIENT_OPTIONS: readonly (keyof ClientOptions)[] = [
  'issuer',
  'tokenEndpoint',
  'clientId',
  'clientAuthentication',
  'clientSecret',
  'privateKey',
  'keyId',
  'certificate',
  'algorithm',
  'assertionAudience',
  'scopes',
  'scopeSeparator',
  'audience',
  'resource',
  'extraParameters',
  'tokenTypes',
  'tokenMember',
  'assumedLifetimeSeconds',
  'allowPrivateNetwork',
  'timeoutMs',
];

/** Checked client options. */
export interface ClientSettings {
  readonly issuer: string | undefined;
  readonly tokenEndpoint: string | undefined;
  readonly clientId: string;
  readonly method: ClientAuthenticationMethod;
  readonly clientSecret: SecretSource | undefined;
  readonly privateKey: SecretSource | undefined;
  readonly keyId: string | undefined;
  readonly thumbprints: Readonly<Record<string, string>> | undefined;
  readonly algorithm: AssertionAlgorithm | undefined;
  readonly assertionAudience: string | undefined;
  readonly scopes: readonly string[];
  readonly scopeText: string | undefined;
  readonly audience: string | undefined;
  readonly resources: readonly string[];
  readonly extra: readonly (readonly [string, string])[];
  readonly tokenTypes: readonly string[];
  readonly tokenMember: string | undefined;
  readonly assumedLifetimeMs: number;
  readonly addressPolicy: AddressPolicy;
  readonly timeoutMs: number;
}

/** What secrets of this client are bound to, and who opens them. */
export interface ClientPlace {
  readonly providerId: string;
  readonly origins: readonly string[] | undefined;
  /** Where the client proves itself too. */
  readonly revocationEndpoint?: string | undefined;
  readonly secrets: SecretStore | undefined;
}

const METHODS: readonly ClientAuthenticationMethod[] = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'none',
];

/**
 * The origins a secret of an OAuth client is sealed for: those its tokens may go to, and those it goes to itself. So that whoever
 * may edit the configuration cannot send it elsewhere.
 */
export function oauthSecretOrigins(of: {
  readonly origins?: readonly string[] | undefined;
  readonly issuer?: string | undefined;
  readonly tokenEndpoint?: string | undefined;
  readonly revocationEndpoint?: string | undefined;
  /** Of grant `github_app` the token endpoint has a default. */
  readonly grant?: string | undefined;
}): readonly string[] {
  const tokenEndpoint = of.tokenEndpoint ?? (of.grant === 'github_app' ? GITHUB_API : undefined);
  const endpoints = [of.issuer, tokenEndpoint, of.revocationEndpoint].filter((url) => url !== undefined);
  return [...new Set([...(of.origins ?? []), ...endpoints.map((url) => new URL(url).origin)])];
}

/** Checks client options and fills in defaults. @throws TypeError that names the option; never quotes a secret. */
export function clientSettings(factory: string, options: ClientOptions, place: ClientPlace): ClientSettings {
  const { issuer, tokenEndpoint, clientId, keyId, assertionAudience, audience, tokenMember } = options;
  if (issuer === undefined && tokenEndpoint === undefined)
    throw new TypeError(`${factory}: give issuer or tokenEndpoint`);
  for (const [name, url] of Object.entries({ issuer, tokenEndpoint })) {
    if (url !== undefined) endpointUrl(factory, name, url);
  }
  for (const [name, value] of Object.entries({ clientId, keyId, assertionAudience, audience, tokenMember })) {
    if (value !== undefined) textOf(factory, name, value);
  }
  if (clientId === undefined) throw new TypeError(`${factory}: clientId is a text`);
  if (options.algorithm !== undefined && !ASSERTION_ALGORITHMS.includes(options.algorithm)) {
    throw new TypeError(`${factory}: algorithm is one of ${ASSERTION_ALGORITHMS.join(', ')}`);
  }
  const { timeoutMs = CLIENT_DEFAULTS.timeoutMs, assumedLifetimeSeconds = CLIENT_DEFAULTS.assumedLifetimeSeconds } =
    options;
  const scopes = listOf(factory, 'scopes', options.scopes ?? []);
  if (!scopes.every(isScope)) throw new TypeError(`${factory}: scopes is a list of scopes`);
  return Object.freeze({
    issuer,
    tokenEndpoint,
    clientId,
    ...authentication(factory, options, place),
    keyId,
    thumbprints: thumbprints(factory, options.certificate),
    algorithm: options.algorithm,
    assertionAudience,
    scopes,
    scopeText: scopes.length === 0 ? undefined : scopes.join(options.scopeSeparator ?? ' '),
    audience,
    resources: resourcesOf(factory, options.resource),
    extra: extraParameters(factory, 'extraParameters', options.extraParameters),
    tokenTypes: ['bearer', ...listOf(factory, 'tokenTypes', options.tokenTypes ?? [])].map((type) =>
      type.toLowerCase(),
    ),
    tokenMember,
    assumedLifetimeMs: 1_000 * wholeNumber(factory, 'assumedLifetimeSeconds', assumedLifetimeSeconds),
    addressPolicy: addressPolicy(options.allowPrivateNetwork),
    timeoutMs: wholeNumber(factory, 'timeoutMs', timeoutMs),
  });
}

function authentication(
  factory: string,
  options: ClientOptions,
  { providerId, origins, revocationEndpoint, secrets }: ClientPlace,
): Pick<ClientSettings, 'method' | 'clientSecret' | 'privateKey'> {
  const { clientSecret, privateKey } = options;
  const inferred =
    clientSecret !== undefined ? 'client_secret_basic' : privateKey !== undefined ? 'private_key_jwt' : 'none';
  const method = options.clientAuthentication ?? inferred;
  if (!METHODS.includes(method))
    throw new TypeError(`${factory}: clientAuthentication is one of ${METHODS.join(', ')}`);
  const needsSecret = method === 'client_secret_basic' || method === 'client_secret_post';
  if (needsSecret && clientSecret === undefined) throw new TypeError(`${factory}: ${method} needs clientSecret`);
  if (!needsSecret && clientSecret !== undefined)
    throw new TypeError(`${factory}: ${method} has no use for clientSecret`);
  if (method === 'private_key_jwt' && privateKey === undefined)
    throw new TypeError(`${factory}: ${method} needs privateKey`);
  const { issuer, tokenEndpoint } = options;
  const bound = oauthSecretOrigins({ origins, issuer, tokenEndpoint, revocationEndpoint });
  const source = (field: string, secret: Secret | SecretReference | undefined): SecretSource | undefined =>
    secret === undefined
      ? undefined
      : secretSource(factory, { secret, ...(secrets && { secrets }) }, { providerId, field, origins: bound });
  return { method, clientSecret: source('clientSecret', clientSecret), privateKey: source('privateKey', privateKey) };
}

/** Checks the URL of an endpoint. @throws TypeError */
export function endpointUrl(factory: string, name: string, url: unknown): string {
  if (isSafeUrl(url)) return url;
  throw new TypeError(`${factory}: ${name} is an https URL (http on loopback) without fragment and userinfo`);
}

/** Checks a text of 1 to 2,048 characters without control characters. @throws TypeError */
export function textOf(factory: string, name: string, value: unknown): string {
  if (typeof value === 'string' && /^[^\p{Cc}]{1,2048}$/u.test(value)) return value;
  throw new TypeError(`${factory}: ${name} is a text of 1 to 2048 characters without control characters`);
}

function listOf(factory: string, name: string, value: readonly string[]): readonly string[] {
  if (
    Array.isArray(value) &&
    value.length <= 128 &&
    value.every((entry) => typeof entry === 'string' && entry !== '')
  ) {
    return value;
  }
  throw new TypeError(`${factory}: ${name} is a list of at most 128 texts`);
}

function resourcesOf(factory: string, given: string | readonly string[] | undefined): readonly string[] {
  const resources = given === undefined ? [] : typeof given === 'string' ? [given] : listOf(factory, 'resource', given);
  if (resources.every((resource) => URL.canParse(resource) && !resource.includes('#'))) return resources;
  throw new TypeError(`${factory}: resource is an absolute URI without fragment, or several`);
}
