import { randomUUID } from 'node:crypto';
import { type Clock, Denial, type Outbound, Secret, type SecretSource } from '@caracal/core';
import * as oauth from 'oauth4webapi';
import { boundedFetch, type FetchLimits, type FetchRequest } from '../http/bounded-fetch.js';
import { conformAnswer } from '../http/token-answer.js';
import { OAuthFault } from '../oauth-fault.js';
import { type TokenSet, tokenSet } from '../tokens/token-set.js';
import { AuthorizationServerSource, type ServerOptions } from './authorization-server.js';
import type { ClientSettings } from './client-options.js';
import { AssertionSigner } from './private-key.js';

/** Life of a client assertion, s. */
const ASSERTION_SECONDS = 60;
/** `nbf` and `iat` lie so far back: a server whose clock is a little behind would refuse them. */
const ASSERTION_BACKDATE_SECONDS = 5;

/** The answer to one token request, with the claims of a checked ID token where one was asked for. */
export interface TokenResult {
  readonly tokens: TokenSet;
  readonly claims: oauth.IDToken | undefined;
}

/** What has been opened for one request: shown to nobody. */
interface Authenticated {
  readonly auth: oauth.ClientAuth;
  readonly secrets: string[];
}

/** One client of one authorization server. */
export class TokenClient {
  readonly settings: ClientSettings;
  readonly signer: AssertionSigner;
  readonly #outbound: Outbound;
  readonly #clock: Clock;
  readonly #server: AuthorizationServerSource;
  readonly #client: oauth.Client;

  constructor(
    settings: ClientSettings,
    server: Omit<ServerOptions, 'issuer' | 'tokenEndpoint'>,
    outbound: Outbound,
    clock: Clock,
  ) {
    const { issuer, tokenEndpoint, keyId, thumbprints, algorithm } = settings;
    this.settings = settings;
    this.signer = new AssertionSigner({ keyId, thumbprints, algorithm });
    this.#outbound = outbound;
    this.#clock = clock;
    this.#server = new AuthorizationServerSource({ ...server, issuer, tokenEndpoint }, clock);
    this.#client = { client_id: settings.clientId };
  }

  /** Limits of an operation that begins now. */
  limits(timeoutMs = this.settings.timeoutMs): FetchLimits {
    const { addressPolicy } = this.settings;
    return {
      outbound: this.#outbound,
      clock: this.#clock,
      addressPolicy,
      deadline: this.#clock.monotonic() + timeoutMs,
    };
  }

  server(limits: FetchLimits = this.limits()): Promise<oauth.AuthorizationServer> {
    return this.#server.get(limits);
  }

  /** Scope, audience, resource and the vendor's own parameters. */
  commonParameters(): [string, string][] {
    const { scopeText, audience, resources, extra } = this.settings;
    return [
      ...extra.map(([name, value]): [string, string] => [name, value]),
      ...(scopeText === undefined ? [] : [['scope', scopeText] as [string, string]]),
      ...(audience === undefined ? [] : [['audience', audience] as [string, string]]),
      ...resources.map((resource): [string, string] => ['resource', resource]),
    ];
  }

  /** Asks with any grant but an authorization code. @throws OAuthFault */
  async request(
    zoneId: string,
    grantType: string,
    parameters: [string, string][] | ((server: oauth.AuthorizationServer) => Promise<[string, string][]>),
    limits: FetchLimits = this.limits(),
  ): Promise<TokenSet> {
    const server = await this.server(limits);
    const form = typeof parameters === 'function' ? await parameters(server) : parameters;
    const shown = form.filter(([name]) => SECRET_PARAMETERS.has(name)).map(([, value]) => value);
    const { tokens } = await this.#ask(
      zoneId,
      server,
      limits,
      { shown, keepIdToken: false },
      (auth, options) =>
        oauth.genericTokenEndpointRequest(server, this.#client, auth, grantType, new URLSearchParams(form), options),
      (response, recognized) => oauth.processGenericTokenEndpointResponse(server, this.#client, response, recognized),
    );
    return tokens;
  }

  /** Redeems an authorization code. With `nonce` an ID token is required and checked. @throws OAuthFault */
  async redeem(
    zoneId: string,
    callback: URLSearchParams,
    flow: { readonly redirectUri: string; readonly verifier: string; readonly nonce: string | undefined },
  ): Promise<TokenResult> {
    const limits = this.limits();
    const server = await this.server(limits);
    const keepIdToken = flow.nonce !== undefined;
    const additionalParameters = this.settings.resources.map((resource): [string, string] => ['resource', resource]);
    additionalParameters.push(...this.settings.extra.map(([name, value]): [string, string] => [name, value]));
    const shown = [callback.get('code') ?? '', flow.verifier];
    return this.#ask(
      zoneId,
      server,
      limits,
      { shown, keepIdToken },
      (auth, options) =>
        oauth.authorizationCodeGrantRequest(server, this.#client, auth, callback, flow.redirectUri, flow.verifier, {
          ...options,
          additionalParameters: new URLSearchParams(additionalParameters),
        }),
      (response, recognized) =>
        oauth.processAuthorizationCodeResponse(server, this.#client, response, {
          ...recognized,
          ...(flow.nonce === undefined ? undefined : { expectedNonce: flow.nonce, requireIdToken: true }),
        }),
    );
  }

  /** Checks what an authorization server sent back with the browser. @throws OAuthFault @see RFC 9207 section 2.4 */
  async callback(query: URLSearchParams, state: string): Promise<URLSearchParams> {
    const server = await this.server();
    try {
      return oauth.validateAuthResponse(server, this.#client, query, state);
    } catch (cause) {
      if (cause instanceof oauth.AuthorizationResponseError) {
        throw new OAuthFault(cause.error === 'access_denied' ? 'callback_access_denied' : 'callback_error');
      }
      throw new OAuthFault(query.get('iss') !== server.issuer ? 'callback_issuer_mismatch' : 'callback_invalid');
    }
  }

  /** Revokes a token. `unsupported` where the server has no such endpoint. @throws OAuthFault @see RFC 7009 */
  async revoke(
    zoneId: string,
    token: string,
    hint: 'refresh_token' | 'access_token',
  ): Promise<'revoked' | 'unsupported'> {
    const limits = this.limits();
    const server = await this.server(limits);
    if (server.revocation_endpoint === undefined) return 'unsupported';
    const { auth } = await this.#authenticated(zoneId, server);
    const fetch = async (url: string, options: FetchRequest): Promise<Response> => {
      const { status } = await boundedFetch(url, options, limits);
      if (status !== 200 && status !== 204)
        throw new OAuthFault('revocation_refused', { explanation: `status ${status}` });
      return new Response(null, { status: 200 });
    };
    await oauth.revocationRequest(server, this.#client, auth, token, {
      ...transport(fetch),
      additionalParameters: { token_type_hint: hint },
    });
    return 'revoked';
  }

  /** The secret as it is now. @throws OAuthFault */
  async open(source: SecretSource | undefined, zoneId: string): Promise<Secret> {
    const opened = source === undefined ? undefined : await source.open(zoneId);
    if (opened instanceof Secret) return opened;
    throw new OAuthFault(opened instanceof Denial ? opened.reason : 'secret_missing', { unsent: true });
  }

  async #ask(
    zoneId: string,
    server: oauth.AuthorizationServer,
    limits: FetchLimits,
    { shown, keepIdToken }: { readonly shown: readonly string[]; readonly keepIdToken: boolean },
    send: (auth: oauth.ClientAuth, options: TransportOptions) => Promise<Response>,
    read: (response: Response, options: oauth.ProcessTokenResponseOptions) => Promise<oauth.TokenEndpointResponse>,
  ): Promise<TokenResult> {
    const { auth, secrets } = await this.#authenticated(zoneId, server);
    const askedAtMs = this.#clock.now();
    const member = this.settings.tokenMember;
    const fetch = async (url: string, options: FetchRequest): Promise<Response> =>
      conformAnswer(await boundedFetch(url, options, limits), {
        member,
        keepIdToken,
        endpoint: addressOf(url),
        secrets: [...secrets, ...shown],
      });
    try {
      const answer = await read(await send(auth, transport(fetch)), { recognizedTokenTypes: this.#recognized() });
      const claims = keepIdToken ? oauth.getValidatedIdTokenClaims(answer) : undefined;
      return { tokens: tokenSet(answer, this.settings.tokenTypes, askedAtMs), claims };
    } catch (cause) {
      if (cause instanceof OAuthFault) throw cause;
      // The library's error holds the answer: only the attribute it complains of is told.
      throw new OAuthFault('token_answer_malformed', { explanation: complaint(cause) });
    }
  }

  #recognized(): oauth.RecognizedTokenTypes {
    return Object.fromEntries(this.settings.tokenTypes.map((type) => [type, () => {}]));
  }

  async #authenticated(zoneId: string, server: oauth.AuthorizationServer): Promise<Authenticated> {
    const { method, clientSecret, privateKey, clientId } = this.settings;
    if (method === 'none') return { auth: oauth.None(), secrets: [] };
    if (method === 'private_key_jwt') {
      const assertion = await this.signer.sign(await this.open(privateKey, zoneId), {
        iss: clientId,
        sub: clientId,
        aud: this.settings.assertionAudience ?? this.settings.issuer ?? server.token_endpoint,
        ...this.assertionTimes(ASSERTION_SECONDS),
        jti: randomUUID(),
      });
      return { auth: assertionAuth(assertion), secrets: [assertion] };
    }
    const secret = (await this.open(clientSecret, zoneId)).reveal();
    if (method === 'client_secret_post') return { auth: oauth.ClientSecretPost(secret), secrets: [secret] };
    const headers = new Headers();
    await oauth.ClientSecretBasic(secret)(server, this.#client, new URLSearchParams(), headers);
    const header = headers.get('authorization')?.replace('Basic ', '') ?? '';
    return { auth: oauth.ClientSecretBasic(secret), secrets: [secret, header] };
  }

  /** `iat`, `nbf` and `exp` of an assertion made now. */
  assertionTimes(lifetimeSeconds: number): { readonly iat: number; readonly nbf: number; readonly exp: number } {
    const now = Math.floor(this.#clock.now() / 1_000);
    const iat = now - ASSERTION_BACKDATE_SECONDS;
    return { iat, nbf: iat, exp: now + lifetimeSeconds };
  }
}

/** Where somebody was asked, for an operator: without a query. */
export function addressOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

const SECRET_PARAMETERS = new Set(['assertion', 'refresh_token', 'subject_token', 'client_secret']);

interface TransportOptions {
  readonly [oauth.customFetch]: (
    url: string,
    options: oauth.CustomFetchOptions<'POST', URLSearchParams>,
  ) => Promise<Response>;
  readonly [oauth.allowInsecureRequests]: boolean;
}

// Plain http is allowed to the library because the door behind it allows it on loopback only.
function transport(fetch: (url: string, options: never) => Promise<Response>): TransportOptions {
  return {
    [oauth.customFetch]: fetch as TransportOptions[typeof oauth.customFetch],
    [oauth.allowInsecureRequests]: true,
  };
}

function assertionAuth(assertion: string): oauth.ClientAuth {
  return (_server, client, body) => {
    body.set('client_id', client.client_id);
    body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    body.set('client_assertion', assertion);
  };
}

function complaint(cause: unknown): string {
  const attribute =
    cause instanceof Error ? /"([a-z_]{1,40})" (?:property|\(|claim)/.exec(cause.message)?.[1] : undefined;
  return attribute === undefined
    ? 'the answer is not as RFC 6749 section 5.1 says'
    : `${attribute} is missing or not in order`;
}
