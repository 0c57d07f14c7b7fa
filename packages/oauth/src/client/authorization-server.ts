import type { Clock } from '@caracal/core';
import type { AuthorizationServer } from 'oauth4webapi';
import { boundedFetch, type FetchLimits, isSafeUrl } from '../http/bounded-fetch.js';
import { jsonObject } from '../http/token-answer.js';
import { OAuthFault } from '../oauth-fault.js';

/** Endpoints as configured. */
export interface ServerOptions {
  readonly issuer: string | undefined;
  readonly tokenEndpoint: string | undefined;
  readonly authorizationEndpoint?: string | undefined;
  readonly revocationEndpoint?: string | undefined;
  /** Somebody signs in or connects there: the authorization endpoint is needed. */
  readonly interactive: boolean;
}

const FRESH_MS = 10 * 60_000;
const STALE_MS = 24 * 60 * 60_000;
const ENDPOINTS = ['authorization_endpoint', 'token_endpoint', 'revocation_endpoint'] as const;

interface Found {
  readonly server: AuthorizationServer;
  /** Monotonic, ms. */
  readonly at: number;
}

/**
 * What is known of an authorization server: configured endpoints, or its metadata, which are kept for ten minutes and, while it cannot
 * be asked, for a day. @see RFC 8414 section 3, OpenID Connect Discovery 1.0 section 4
 */
export class AuthorizationServerSource {
  readonly #options: ServerOptions;
  readonly #clock: Clock;
  #found: Found | undefined;
  #asking: Promise<AuthorizationServer> | undefined;

  constructor(options: ServerOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** @throws OAuthFault `issuer_<why>`, or why it could not be asked */
  async get(limits: FetchLimits): Promise<AuthorizationServer> {
    const { issuer, tokenEndpoint, authorizationEndpoint, interactive } = this.#options;
    if (
      issuer === undefined ||
      (tokenEndpoint !== undefined && (!interactive || authorizationEndpoint !== undefined))
    ) {
      return this.#configured({ issuer: issuer ?? (tokenEndpoint as string) });
    }
    const found = this.#found;
    const age = found === undefined ? Number.POSITIVE_INFINITY : this.#clock.monotonic() - found.at;
    if (found !== undefined && age < FRESH_MS) return found.server;
    this.#asking ??= this.#discover(issuer, limits).finally(() => {
      this.#asking = undefined;
    });
    try {
      return await this.#asking;
    } catch (cause) {
      const lied = cause instanceof OAuthFault && cause.reason.startsWith('issuer_');
      if (found !== undefined && age < STALE_MS && !lied) return found.server;
      throw cause;
    }
  }

  #configured(server: AuthorizationServer): AuthorizationServer {
    const { tokenEndpoint, authorizationEndpoint, revocationEndpoint } = this.#options;
    return {
      ...server,
      ...(tokenEndpoint !== undefined && { token_endpoint: tokenEndpoint }),
      ...(authorizationEndpoint !== undefined && { authorization_endpoint: authorizationEndpoint }),
      ...(revocationEndpoint !== undefined && { revocation_endpoint: revocationEndpoint }),
    };
  }

  async #discover(issuer: string, limits: FetchLimits): Promise<AuthorizationServer> {
    let missing: OAuthFault | undefined;
    for (const url of metadataUrls(issuer)) {
      const answer = await boundedFetch(url, { method: 'GET', headers: { Accept: 'application/json' } }, limits);
      const document = answer.status === 200 ? jsonObject(answer.body) : undefined;
      if (document === undefined) {
        const what = answer.status === 200 ? 'no JSON object' : `status ${answer.status}`;
        missing ??= new OAuthFault('issuer_metadata_missing', { explanation: `${url} answers ${what}` });
        continue;
      }
      const server = this.#configured(checkedMetadata(document, issuer));
      this.#found = { server, at: this.#clock.monotonic() };
      return server;
    }
    throw missing as OAuthFault;
  }
}

/** RFC 8414 puts its well-known path before the issuer's own path, OpenID Connect after it. */
function metadataUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
}

/** An issuer as it should be: public, short, without a query. */
function isShown(issuer: unknown): issuer is string {
  return typeof issuer === 'string' && /^https?:\/\/[\x21-\x3e\x40-\x7e]{1,200}$/.test(issuer);
}

function checkedMetadata(document: Record<string, unknown>, issuer: string): AuthorizationServer {
  // To the character: a server that is named otherwise is another server (RFC 8414 section 3.3).
  if (document.issuer !== issuer) {
    const named = isShown(document.issuer) ? document.issuer : 'something else';
    throw new OAuthFault('issuer_mismatch', {
      explanation: `the metadata of ${issuer} names the issuer ${named}; it has to be the same to the character`,
    });
  }
  for (const name of ENDPOINTS) {
    if (document[name] !== undefined && !isSafeUrl(document[name])) {
      throw new OAuthFault('issuer_endpoint_insecure', { explanation: `${name} is neither https nor on loopback` });
    }
  }
  if (document.token_endpoint === undefined) {
    throw new OAuthFault('issuer_endpoint_missing', { explanation: 'the metadata has no token_endpoint' });
  }
  return { ...document } as unknown as AuthorizationServer;
}
