import {
  type Awaitable,
  type Credential,
  type CredentialRequest,
  Denial,
  deny,
  isName,
  type Mandate,
  own,
  type Provider,
  parseCompactJws,
  presentedMandate,
  providerId,
  providerOrigins,
  refuseUnknownOptions,
  type Secret,
  type SecretReference,
} from '@caracal/core';
import { type ClientAuthenticationMethod, clientSettings } from '../client/client-options.js';
import { TokenClient } from '../client/token-client.js';
import { OAuthFault } from '../oauth-fault.js';
import { type Probe, type Probeable, probed } from '../probe.js';
import { type OAuthServices, SERVICE_OPTIONS, servicesOf } from '../services.js';
import { SharedTokens, type Wanted } from '../tokens/shared-tokens.js';
import { type TokenSet, tokenSet } from '../tokens/token-set.js';

/** The part of `@caracal/sts` that exchanges mandates in this process. */
export interface ExchangingTokenService {
  issue(options: {
    readonly applicationId: string;
    readonly resources: readonly string[];
    readonly subjectToken: string;
  }): Promise<{ readonly mandate: string } | { readonly error: string; readonly reason: string }>;
}

/** Options of {@link exchangedMandate}. */
export interface ExchangedMandateOptions extends OAuthServices {
  readonly id: string;
  /** Origins the mandate may go to. Default: the upstream of whichever resource it was made for. */
  readonly origins?: readonly string[];
  /** The token service in this process. This, or its endpoint. */
  readonly tokenService?: ExchangingTokenService;
  /** https, or http on loopback. */
  readonly tokenEndpoint?: string;
  /** Who exchanges: the `gatewayApplication` of its resources. */
  readonly application: string;
  /** The application's secret; or `privateKey`. Of `tokenEndpoint` alone. */
  readonly clientSecret?: Secret | SecretReference;
  readonly privateKey?: Secret | SecretReference;
  readonly keyId?: string;
  readonly clientAuthentication?: ClientAuthenticationMethod;
  readonly allowPrivateNetwork?: boolean | readonly string[];
  readonly timeoutMs?: number;
}

const FACTORY = 'exchangedMandate';
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
const CLIENT_MEMBERS = [
  'clientSecret',
  'privateKey',
  'keyId',
  'clientAuthentication',
  'allowPrivateNetwork',
  'timeoutMs',
] as const;
const KNOWN = [...SERVICE_OPTIONS, ...CLIENT_MEMBERS, 'id', 'origins', 'tokenService', 'tokenEndpoint', 'application'];

/**
 * A provider that attaches a mandate made for the resource alone: the one presented where it is that, else one exchanged for it at the
 * token service by `application`. What was exchanged is checked: its audience is the resource, its subject the presented one's, and it
 * does not live longer.
 *
 * @throws TypeError at creation. @see RFC 8693
 */
export function exchangedMandate(options: ExchangedMandateOptions): Provider & Probeable {
  refuseUnknownOptions(FACTORY, options, KNOWN);
  const services = servicesOf(FACTORY, options, false);
  const id = providerId(FACTORY, options.id);
  const origins = providerOrigins(FACTORY, options.origins);
  const { application } = options;
  if (!isName(application)) throw new TypeError(`${FACTORY}: application is the id of an application`);
  const exchange = exchangeOf(options, services, id);
  const presented = presentedMandate({ id, ...(origins && { origins }) });
  const tokens = new SharedTokens({
    services,
    providerId: id,
    origins: origins ?? [],
    headerName: 'Authorization',
    scheme: 'Bearer',
    timeoutMs: exchange.timeoutMs,
    // The checked claims say when it ends.
    assumedLifetimeMs: 1,
  });

  function wanted({ mandate, token, resource, presence }: CredentialRequest): Wanted {
    const { zoneId, identifier } = resource;
    return {
      // The subject too: an issuer may be careless with its ids, and these are tokens that act for somebody.
      key: {
        zoneId,
        providerId: id,
        qualifiers: [mandate.issuer, mandate.subject, mandate.jti, identifier, application],
      },
      obtain: async () =>
        checkedExchange(await exchange.run(zoneId, identifier, token), mandate, identifier, services.clock.now()),
      notAfterMs: mandate.expiresAt * 1_000,
      presence,
    };
  }

  function refusal({ resource }: CredentialRequest): Denial | undefined {
    const { gatewayApplication = application } = resource;
    // The resource has named another application to trust.
    return gatewayApplication === application ? undefined : deny('credential_unavailable', 'gateway_application_other');
  }

  return Object.freeze({
    id,
    kind: 'caracal_mandate' as const,
    origins,
    headerNames: Object.freeze(['authorization']),
    renewable: true,
    attach: (request: CredentialRequest): Awaitable<Credential | Denial> =>
      isForResource(request) ? presented.attach(request) : (refusal(request) ?? tokens.get(wanted(request))),
    renew: async (request: CredentialRequest, refused: Credential): Promise<Credential | Denial> =>
      isForResource(request) ? refused : (refusal(request) ?? tokens.renew(wanted(request), refused)),
    probe: (zoneId: string): Promise<Probe> => probed(() => exchange.probe(zoneId)),
  });
}

interface Exchange {
  readonly timeoutMs: number;
  run(zoneId: string, resource: string, token: string): Promise<string>;
  probe(zoneId: string): Promise<unknown>;
}

function exchangeOf(options: ExchangedMandateOptions, services: ReturnType<typeof servicesOf>, id: string): Exchange {
  const { application, tokenService, tokenEndpoint, origins } = options;
  if ((tokenService === undefined) === (tokenEndpoint === undefined)) {
    throw new TypeError(`${FACTORY}: give tokenService or tokenEndpoint`);
  }
  const place = { providerId: id, origins, secrets: services.secrets };
  const clientOptions = Object.fromEntries(
    CLIENT_MEMBERS.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  );
  if (tokenService !== undefined) {
    const { timeoutMs } = clientSettings(
      FACTORY,
      { ...clientOptions, clientId: application, tokenEndpoint: 'https://in.process/' },
      place,
    );
    return {
      timeoutMs,
      run: async (_zoneId, resource, token) => {
        const issued = await tokenService.issue({
          applicationId: application,
          resources: [resource],
          subjectToken: token,
        });
        if ('mandate' in issued) return issued.mandate;
        throw new OAuthFault(`exchange_${issued.reason}`);
      },
      probe: async () => undefined,
    };
  }
  const settings = clientSettings(
    FACTORY,
    { ...clientOptions, clientId: application, tokenEndpoint: tokenEndpoint as string },
    place,
  );
  const client = new TokenClient(settings, { interactive: false }, services.outbound, services.clock);
  return {
    timeoutMs: settings.timeoutMs,
    run: async (zoneId, resource, token) => {
      const parameters: [string, string][] = [
        ['subject_token', token],
        ['subject_token_type', ACCESS_TOKEN_TYPE],
        ['resource', resource],
      ];
      return (await client.request(zoneId, TOKEN_EXCHANGE, parameters)).accessToken;
    },
    // A session: what any application may have of its own.
    probe: (zoneId) => client.request(zoneId, 'client_credentials', [['ttl_seconds', '1']]),
  };
}

function isForResource({ mandate, resource }: CredentialRequest): boolean {
  return mandate.audience.length === 1 && mandate.audience[0] === resource.identifier;
}

/** Checks what the token service answered; its signature is the upstream's to verify. @throws OAuthFault `exchange_<why>` */
function checkedExchange(exchanged: string, presented: Mandate, resource: string, nowMs: number): TokenSet {
  const jws = parseCompactJws(exchanged);
  if (jws instanceof Denial) throw new OAuthFault('exchange_not_a_mandate');
  const claim = (name: string): unknown => own(jws.payload, name);
  const expiresAt = claim('exp');
  if (claim('aud') !== resource) throw new OAuthFault('exchange_audience_other');
  if (claim('sub') !== presented.subject) throw new OAuthFault('exchange_subject_other');
  if (typeof expiresAt !== 'number' || expiresAt > presented.expiresAt)
    throw new OAuthFault('exchange_outlives_mandate');
  const seconds = Math.floor(expiresAt - nowMs / 1_000);
  if (seconds < 1) throw new OAuthFault('exchange_expired');
  return tokenSet({ access_token: exchanged, token_type: 'bearer', expires_in: seconds }, ['bearer'], nowMs);
}
