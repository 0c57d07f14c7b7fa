import { join } from 'node:path';
import {
  createGateway,
  type Gateway,
  type GatewayOptions,
  type IssuerOptions,
  noCredential,
  type Outbound,
  type Provider,
  type ResourceDefinition,
  type Secret,
  type SecretStore,
  type Telemetry,
} from '@caracal/core';
import { type AuthorizationCodeProvider, type ConnectService, connectLinks, type OAuthEvent } from '@caracal/oauth';
import type { FeedDirectory, OnPostgresWarning } from '@caracal/postgres';
import { createTokenService, fileSigningKeyStore, type TokenResource, type TokenService } from '@caracal/sts';
import type {
  Configuration,
  ProviderConfiguration,
  ResourceConfiguration,
  TokenServiceConfiguration,
} from '../configuration/configuration.js';
import type { LoadedConfiguration } from '../configuration/load-configuration.js';
import { ConfigurationError, type ConfigurationProblem } from '../configuration/problem.js';
import { connectableOf, connectServiceOf } from '../connect/connect-pages.js';
import { causeName, faultLog } from '../log/fault-log.js';
import type { Log } from '../log/log.js';
import type { OAuthEnvironment } from '../providers/oauth-environment.js';
import { makeProvider } from '../providers/provider-kinds.js';
import type { PlainReference } from '../secrets/read-reference.js';
import { loadSealingKeys } from '../secrets/sealing-keys.js';
import { identityBinding } from '../secrets/secret-places.js';
import { serverSecrets } from '../secrets/server-secrets.js';
import { tryRead } from '../secrets/try-read.js';
import type { GatewayStores } from '../state/open-state.js';
import type { RemoteIssuer } from '../workers/worker-issuer.js';
import type { KeySources } from './key-sources.js';
import { rowDefinition } from './row-definition.js';

/** Everything that one version of the configuration makes; replaced as a whole. */
export interface Generation {
  readonly loaded: LoadedConfiguration;
  readonly gateway: Gateway;
  readonly tokens: TokenService | undefined;
  /** Hosts the connect pages, on the listener of the token service; `undefined` where nobody connects accounts. */
  readonly connect: ConnectService | undefined;
  /** Providers that people connect accounts to. */
  readonly connectable: readonly AuthorizationCodeProvider[];
  /** Ids of the keys that seal and open; the first seals. */
  readonly keyIds: readonly string[];
  /** The admin token as it is now; throws where it cannot be had. */
  adminToken(): Secret | Promise<Secret>;
  /** The resource directory as this configuration understands it; `undefined` where none is configured. */
  readonly directory: FeedDirectory | undefined;
  /** Makes this generation the one whose key sets are kept. */
  commit(): void;
  /** Another one is in force: follows no more what changes. */
  retire(): void;
  /** Leaves nothing running but the gateway, which is closed by whoever drains it. */
  close(): Promise<void>;
}

/** What outlives generations. */
export interface GenerationParts {
  readonly state: GatewayStores;
  readonly keySources: KeySources;
  readonly outbound: Outbound;
  readonly telemetry: Telemetry;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Log;
  /** `iss` of the token service, once its listener is bound. */
  readonly tokenIssuer: string | undefined;
  /** The token service of another process, instead of one of this. */
  readonly remoteIssuer?: RemoteIssuer | undefined;
  /** Told of rows of the resource directory that are refused. */
  readonly onRefusedRow: OnPostgresWarning;
}

/** Shortest admin token, characters. */
export const MIN_ADMIN_TOKEN_LENGTH = 16;

/**
 * Makes a generation. Nothing of it is in force yet; where this throws, nothing has changed.
 *
 * @throws ConfigurationError with what cannot be had or is not in order
 */
export async function makeGeneration(loaded: LoadedConfiguration, parts: GenerationParts): Promise<Generation> {
  const { configuration } = loaded;
  const sealing = await loadSealingKeys(configuration, parts.environment);
  const secrets = serverSecrets(sealing, parts.environment);
  let tokens: TokenService | undefined;
  let directory: FeedDirectory | undefined;
  try {
    const oauth = oauthOf(configuration, sealing.keys, parts, () => parts.remoteIssuer ?? tokens!);
    const providers = await providersOf(configuration, { secrets, oauth }, parts.environment);
    const resources = await resourcesOf(configuration, providers, parts.environment);
    await checkAdminToken(configuration, parts.environment);
    if (parts.remoteIssuer === undefined) {
      tokens = await tokenServiceOf(configuration, resources, secrets, sealing.keys, parts);
    }
    const others = parts.keySources.of(configuration.issuers, configuration.zone);
    const issuer = parts.remoteIssuer ?? tokens;
    const own: IssuerOptions[] =
      issuer === undefined ? [] : [{ issuer: issuer.issuer, zone: configuration.zone, keySource: issuer.keySource }];
    // Last: what is refused is told by a generation that will be in force.
    directory = parts.state.resourceFeed?.directory({
      define: rowDefinition(providers),
      beside: resources,
      onWarning: parts.onRefusedRow,
    });
    const what = directory === undefined ? { resources } : { directory };
    const gateway = gatewayOf(configuration, [...own, ...others.issuers], what, parts);
    const connectable = connectableOf(providers.values());
    return {
      loaded,
      gateway,
      tokens,
      directory,
      connect: connectServiceOf(configuration, connectable, oauth, {
        secrets,
        replays: parts.state.replays,
      }),
      connectable,
      keyIds: sealing.keys.map(({ id }) => id),
      adminToken: () => adminTokenOf(configuration, secrets),
      commit: others.commit,
      retire: () => directory?.close(),
      close: async () => {
        directory?.close();
        await tokens?.close();
        secrets.close();
      },
    };
  } catch (cause) {
    directory?.close();
    await tokens?.close();
    secrets.close();
    throw asConfigurationError(cause, loaded.file);
  }
}

// What the checks of the file did not find is still a mistake in it, and no fault of ours.
function asConfigurationError(cause: unknown, file: string | undefined): unknown {
  if (!(cause instanceof TypeError)) return cause;
  const problem = { path: '', fault: cause.message, remedy: 'correct the configuration' };
  return new ConfigurationError([problem], file);
}

function gatewayOf(
  { gateway }: Configuration,
  issuers: readonly IssuerOptions[],
  what: Pick<GatewayOptions, 'resources' | 'directory'>,
  { state, telemetry, log }: GenerationParts,
): Gateway {
  const tell = faultLog(log, 'gateway_fault');
  return createGateway({
    issuers,
    ...what,
    revocations: state.revocations,
    replays: state.replays,
    rateLimiter: state.rateLimiter,
    audit: { sink: state.journal, durability: gateway.audit.durability, room: gateway.audit.room },
    telemetry,
    gatewayId: gateway.id,
    maxStalenessMs: gateway.maxStalenessMs,
    portTimeoutMs: gateway.portTimeoutMs,
    ...(gateway.publicUrl === undefined ? {} : { publicUrl: gateway.publicUrl }),
    ...(gateway.cors === undefined ? {} : { cors: gateway.cors }),
    onFault: (fault) => tell(fault, fault.code),
  });
}

async function tokenServiceOf(
  { tokenService, zone, gateway, stores }: Configuration,
  resources: readonly ResourceDefinition[],
  secrets: SecretStore,
  sealingKeys: Parameters<typeof fileSigningKeyStore>[0]['sealingKeys'],
  { state, log, tokenIssuer }: GenerationParts,
): Promise<TokenService | undefined> {
  if (tokenService === undefined || tokenIssuer === undefined) return undefined;
  const tell = faultLog(log, 'token_service_fault');
  return createTokenService({
    issuer: tokenIssuer,
    zone,
    algorithm: tokenService.algorithm,
    applications: tokenService.applications,
    resources: tokenResources(
      resources.filter((resource) => resource.zone === zone),
      tokenService.applications,
    ),
    secrets,
    keys: fileSigningKeyStore({ directory: join(stores.stateDirectory, 'keys'), zone, sealingKeys }),
    rotateKeysAfterSeconds: tokenService.keyRotationDays * 86_400,
    revocations: state.revocations,
    replays: state.replays,
    audit: { sink: state.journal, durability: gateway.audit.durability },
    serviceId: gateway.id,
    maxStalenessMs: gateway.maxStalenessMs,
    portTimeoutMs: gateway.portTimeoutMs,
    onFault: (fault) => tell(fault, fault.error),
  });
}

/** Where mandates are exchanged: at the token service of this generation, which is made after its providers, or elsewhere. */
export function exchangeOf(
  configuration: Configuration,
  tokens: () => Pick<TokenService, 'issue'>,
): OAuthEnvironment['exchange'] {
  const { tokenService } = configuration;
  const { identity } = configuration.gateway;
  if (identity === undefined) return undefined;
  const { application, secret, tokenEndpoint, allowPrivateNetwork } = identity;
  const binding = identityBinding(configuration);
  if (tokenService !== undefined) {
    return { options: { application, tokenService: { issue: (options) => tokens().issue(options) } }, binding };
  }
  const at = {
    tokenEndpoint: tokenEndpoint!,
    clientSecret: secret!,
    ...(allowPrivateNetwork && { allowPrivateNetwork }),
  };
  return { options: { application, ...at }, binding };
}

/**
 * What mandates can be issued for: resources of the configuration, and those that it grants and the resource directory is to have. Of
 * these the token service knows what is granted; what it is good for the gateway decides, by the row.
 */
function tokenResources(
  resources: readonly ResourceDefinition[],
  applications: TokenServiceConfiguration['applications'],
): TokenResource[] {
  const known = resources.map(tokenResource);
  const elsewhere = new Map<string, Set<string>>();
  for (const { resource, scopes } of applications.flatMap(({ grants }) => grants)) {
    if (known.some(({ identifier }) => identifier === resource)) continue;
    elsewhere.set(resource, new Set([...(elsewhere.get(resource) ?? []), ...scopes]));
  }
  return [...known, ...[...elsewhere].map(([identifier, scopes]) => ({ identifier, scopes: [...scopes] }))];
}

function tokenResource({ identifier, scopes = [], gatewayApplication }: ResourceDefinition) {
  return { identifier, scopes, ...(gatewayApplication === undefined ? {} : { gatewayApplication }) };
}

function oauthOf(
  configuration: Configuration,
  sealing: OAuthEnvironment['sealing'],
  { state, outbound, log, tokenIssuer }: GenerationParts,
  tokens: () => Pick<TokenService, 'issue'>,
): OAuthEnvironment {
  const { connect, tokenService, gateway } = configuration;
  const tellFault = faultLog(log, 'connection_audit_fault');
  const publicUrl = tokenService === undefined ? undefined : (connect?.publicUrl ?? tokenIssuer);
  return {
    outbound,
    tokenCache: state.tokenCache,
    sealing,
    connections: state.connections,
    links: publicUrl === undefined ? undefined : connectLinks({ publicUrl, sealing }),
    exchange: exchangeOf(configuration, tokens),
    onEvent: (event) => tellEvent(log, event),
    audit: {
      sink: state.journal,
      durability: gateway.audit.durability,
      timeoutMs: gateway.portTimeoutMs,
      gatewayId: gateway.id,
      onFault: (cause) => tellFault({ requestId: undefined, reason: 'append', cause }, 'audit_unavailable'),
    },
  };
}

const TROUBLES: readonly OAuthEvent['type'][] = ['connection_lost', 'connection_unreadable', 'connect_refused'];

function tellEvent(log: Log, { type, time: _, owner, ...event }: OAuthEvent): void {
  const isTrouble = type.endsWith('_failed') || TROUBLES.includes(type);
  const whose = owner === undefined || owner === 'shared' ? { owner } : owner;
  log({ level: isTrouble ? 'warn' : 'info', event: `oauth_${type}`, ...event, ...whose });
}

async function providersOf(
  { providers }: Configuration,
  around: { readonly secrets: SecretStore; readonly oauth: OAuthEnvironment },
  environment: NodeJS.ProcessEnv,
): Promise<ReadonlyMap<string, Provider>> {
  const problems: ConfigurationProblem[] = [];
  const certificates = new Map<string, string>();
  for (const [index, provider] of providers.entries()) {
    const reference = certificateReference(provider);
    if (reference === undefined) continue;
    const text = await tryRead(reference, `providers[${index}].certificate`, environment, problems);
    if (text !== undefined) certificates.set(provider.id, text.reveal());
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return new Map(providers.map((provider) => [provider.id, makeProvider(provider, { ...around, certificates })]));
}

export function certificateReference(provider: ProviderConfiguration): PlainReference | undefined {
  return 'certificate' in provider ? provider.certificate : undefined;
}

async function resourcesOf(
  { zone, resources }: Configuration,
  byId: ReadonlyMap<string, Provider>,
  environment: NodeJS.ProcessEnv,
): Promise<readonly ResourceDefinition[]> {
  const none = noCredential();
  const problems: ConfigurationProblem[] = [];
  const definitions: ResourceDefinition[] = [];
  for (const [index, { provider, tls, ...resource }] of resources.entries()) {
    definitions.push({
      zone,
      ...(resource as Omit<ResourceDefinition, 'provider' | 'tls'>),
      provider: provider === undefined ? none : byId.get(provider)!,
      ...(tls === undefined ? {} : { tls: await tlsOf(tls, `resources[${index}].tls`, environment, problems) }),
    });
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return definitions;
}

async function tlsOf(
  { serverName, ...references }: NonNullable<ResourceConfiguration['tls']>,
  path: string,
  environment: NodeJS.ProcessEnv,
  problems: ConfigurationProblem[],
): Promise<NonNullable<ResourceDefinition['tls']>> {
  const texts: Record<string, string> = serverName === undefined ? {} : { serverName };
  for (const [name, reference] of Object.entries(references)) {
    const text = await tryRead(reference, `${path}.${name}`, environment, problems);
    if (text !== undefined) texts[name] = text.reveal();
  }
  return texts;
}

async function checkAdminToken({ admin }: Configuration, environment: NodeJS.ProcessEnv): Promise<void> {
  if (admin === undefined) return;
  const problems: ConfigurationProblem[] = [];
  const token = await tryRead(admin.token, 'admin.token', environment, problems);
  if (token !== undefined && !isAdminToken(token)) {
    const fault = `is shorter than ${MIN_ADMIN_TOKEN_LENGTH} characters, or not printable ASCII without spaces`;
    problems.push({ path: 'admin.token', fault, remedy: 'make one: openssl rand -hex 32' });
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
}

function isAdminToken(token: Secret): boolean {
  const text = token.reveal();
  return text.length >= MIN_ADMIN_TOKEN_LENGTH && /^[\x21-\x7e]+$/.test(text);
}

async function adminTokenOf({ admin }: Configuration, secrets: SecretStore): Promise<Secret> {
  const binding = { zoneId: 'admin', providerId: 'admin', field: 'token', origins: [] };
  const token = await secrets.open(admin!.token, binding);
  // A file that was cut to nothing, or to little, opens for nobody.
  if (!isAdminToken(token)) throw new Error('the admin token is too short');
  return token;
}

/** For log lines: why a generation could not be made. */
export function generationFault(cause: unknown): readonly ConfigurationProblem[] {
  if (cause instanceof ConfigurationError) return cause.problems;
  const fault = `cannot be put into force (${causeName(cause)})`;
  return [{ path: '', fault, remedy: 'see the log of the server' }];
}
