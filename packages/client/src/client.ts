import { checkedUrl, urlUnder } from './base-url.js';
import { Mandates } from './mandates.js';
import { type Profile, readProfile } from './profile.js';
import { type Mint, tokenEndpoint } from './token-endpoint.js';
import { type Fetch, governedFetch } from './transport.js';

/** Options of {@link createClient}: members of a profile, and what no profile says. */
export interface ClientOptions extends Partial<Profile> {
  /** Path of a profile file. Default `CARACAL_PROFILE`. */
  readonly profile?: string;
  /**
   * A token of whoever the agent acts for, or how to get it: mandates are exchanged for it and stay within it (RFC 8693).
   * Default none: they are the application's own.
   */
  readonly subjectToken?: string | (() => string | Promise<string>);
  /** Another way to mandates than the token endpoint: for a browser, which keeps no secret, its own server. */
  readonly mint?: Mint;
  /**
   * Adds headers of what the agent is doing to a plain object: `traceparent`, `tracestate`, `x-request-id`; others are left out.
   * They go with the call, and with the mint made for it. With OpenTelemetry:
   * `(headers) => propagation.inject(context.active(), headers)`.
   */
  readonly propagate?: (headers: Record<string, string>) => void;
  /** Sends mandates and the secret over http beyond loopback. Default false. */
  readonly allowPlaintext?: boolean;
  /** Default the runtime's. */
  readonly fetch?: typeof fetch;
}

/** What a mandate is wanted for. */
export interface Target {
  /** Resource identifier. Default the only one of the profile. */
  readonly resource?: string;
  /** Default all that the application is granted there. */
  readonly scopes?: readonly string[];
}

/** Options of {@link Client.transport}. */
export interface TransportOptions extends Target {
  /**
   * `throw` (default): a refusal of the gateway is a {@link CaracalError}. `response`: it is a `Response`, for libraries that try
   * again whatever is thrown; `refusalOf` finds it in their errors.
   */
  readonly refusals?: 'throw' | 'response';
  /** How often a call that was refused with `Retry-After` is sent again. Default 2; 0 with `refusals: 'response'`. */
  readonly retries?: number;
}

/** What a call needs, for an HTTP client of your own. */
export interface GatewayRequest {
  readonly url: string;
  readonly headers: Record<string, string>;
}

/** The way of an agent to its gateway. */
export interface Client {
  /** Base URL of the calls to a resource: for the base URL of a library. Default the only resource of the profile. */
  url(resource?: string): string;
  /**
   * URL and headers of one call to a resource, with a mandate that has at least half of its life before it. The headers are for this
   * call: ask again for the next one, which costs nothing while the mandate lasts.
   *
   * @throws MintError, SessionRevokedError (as rejections)
   */
  gatewayRequest(
    resource: string,
    options?: { readonly scopes?: readonly string[]; readonly path?: string },
  ): Promise<GatewayRequest>;
  /**
   * A `fetch` to one resource. It takes URLs under {@link url} and paths such as `/v1/invoices`; any other URL is refused, and so the
   * mandate goes nowhere else. Bodies pass untouched. An answer of the upstream comes back as it is, whatever its status; so does a
   * redirect that leads elsewhere.
   *
   * Sent again is only what the gateway refused before the upstream could see it, if the body can be sent twice.
   */
  transport(options?: TransportOptions): Fetch;
  /** Forgets every mandate, and that sessions were revoked: the next call begins anew. */
  forget(): void;
}

const CARRIED = ['traceparent', 'tracestate', 'x-request-id'];

/**
 * Makes a client. Without `gatewayUrl` it is the profile's: a file and `CARACAL_*` variables; options override its members.
 *
 * @throws TypeError that names what is missing or wrong, and the remedy
 */
export function createClient(options: ClientOptions = {}): Client {
  const { allowPlaintext = false, propagate, fetch = globalThis.fetch.bind(globalThis) } = options;
  const known = options.gatewayUrl === undefined ? readProfile(options.profile) : {};
  const profile = { ...known, ...options } as Profile;
  const gatewayUrl = checkedUrl('gatewayUrl', profile.gatewayUrl, allowPlaintext);
  const bases = new Map<string, string>();
  for (const { identifier, url } of profile.resources ?? []) {
    bases.set(identifier, url === undefined ? gatewayUrl : checkedUrl('resources.url', url, allowPlaintext));
  }
  const mint = options.mint ?? mintOf();
  let mandates = new Map<string, Mandates>();

  function mintOf(): Mint {
    const tokenUrl = checkedUrl('tokenUrl', profile.tokenUrl, allowPlaintext);
    if (!profile.applicationId || !profile.applicationSecret) {
      throw new TypeError('createClient: applicationId and applicationSecret are needed to mint; or give mint');
    }
    return tokenEndpoint({ ...profile, tokenUrl, fetch, subjectToken: options.subjectToken });
  }

  function resourceOf(named: string | undefined): string {
    const only = bases.size === 1 ? [...bases.keys()][0] : undefined;
    const resource = named ?? only;
    if (resource === undefined) throw new TypeError('resource: name one, the profile has not exactly one');
    return resource;
  }

  function mandatesOf(resource: string, scopes: readonly string[] | undefined): Mandates {
    const key = JSON.stringify([resource, scopes === undefined ? null : [...scopes].sort()]);
    const held = mandates.get(key) ?? new Mandates(mint, resource, scopes);
    mandates.set(key, held);
    return held;
  }

  function carry(headers: Headers): Record<string, string> {
    const added: Record<string, string> = {};
    propagate?.(added);
    for (const [name, value] of new Headers(added)) {
      if (CARRIED.includes(name) && !headers.has(name)) headers.set(name, value);
    }
    return Object.fromEntries(
      CARRIED.flatMap((name) => (headers.has(name) ? [[name, headers.get(name) as string]] : [])),
    );
  }

  const url = (resource?: string) => bases.get(resourceOf(resource)) ?? gatewayUrl;

  return {
    url,
    async gatewayRequest(resource, { scopes, path } = {}) {
      const headers = carry(new Headers());
      const { token } = await mandatesOf(resource, scopes).take(headers);
      return {
        url: path === undefined ? url(resource) : urlUnder(url(resource), path).href,
        headers: { ...headers, Authorization: `Bearer ${token}`, 'X-Caracal-Resource': resource },
      };
    },
    transport({ scopes, refusals = 'throw', retries = refusals === 'throw' ? 2 : 0, ...target } = {}) {
      const resource = resourceOf(target.resource);
      return governedFetch({
        base: url(resource),
        resource,
        mandates: () => mandatesOf(resource, scopes),
        fetch,
        retries,
        refusals,
        carry,
      });
    },
    forget() {
      mandates = new Map();
    },
  };
}
