import { addressPolicy } from '../forward/address-policy.js';
import type { TlsOptions } from '../forward/plan.js';
import { checkCredentialDestination } from './credential-destination.js';
import { operationTable } from './operations.js';
import { parseDefinition } from './parse-definition.js';
import type { Limits, Resource, ResourceDefinition } from './resource.js';
import { type ParsedDefinition, resourceSchema } from './resource-schema.js';
import { parseUpstreamUrl } from './upstream-url.js';

/** Zone of a resource that names none. */
export const DEFAULT_ZONE = 'default';

/** Deadlines (ms) and sizes (bytes) of a resource that sets none. Model calls think for minutes: hence the long ones. */
export const DEFAULT_LIMITS: Limits = Object.freeze({
  connectTimeoutMs: 5_000,
  headersTimeoutMs: 300_000,
  idleTimeoutMs: 60_000,
  streamIdleTimeoutMs: 900_000,
  maxBodyBytes: 100 * 1024 * 1024,
});

/** What a resource is where its definition says nothing else. `operationEnforcement`: see {@link defineResource}. */
export const RESOURCE_DEFAULTS = Object.freeze({
  mandateReuse: 'until_expiry',
  allowPrivateNetwork: false,
  allowPlaintext: false,
  passCookies: false,
  redirects: 'pass',
  forwarded: 'none',
  websocket: false,
  onExpiry: 'cut',
} as const);

/**
 * Checks a definition and compiles it. The result is frozen.
 *
 * `operationEnforcement` defaults to `enforced` where an operation is declared, else to `any`. An operation without
 * `scopes` needs all of the resource's. Nothing is resolved or fetched here.
 *
 * @throws TypeError that names the resource, the path of the member and the remedy; it holds no secret.
 */
export function defineResource(definition: ResourceDefinition): Resource {
  try {
    return compile(parseDefinition(resourceSchema, definition));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new TypeError(`Resource ${nameOf(definition)}: ${error.message}`, { cause: error });
  }
}

function compile(definition: ParsedDefinition): Resource {
  const { identifier, provider, operations = [], scopes = [] } = definition;
  const upstream = definition.upstreamUrl === undefined ? undefined : parseUpstreamUrl(definition.upstreamUrl);
  const set = { ...RESOURCE_DEFAULTS, ...definedOnly(definition) };
  if (upstream !== undefined) checkCredentialDestination(provider, upstream, set.allowPlaintext);
  if (definition.tls !== undefined && !upstream?.origin.startsWith('https:')) {
    throw new TypeError('tls: only an https upstreamUrl has it');
  }
  return Object.freeze({
    identifier,
    zoneId: definition.zone ?? DEFAULT_ZONE,
    scopes: Object.freeze([...scopes]),
    upstream,
    gatewayApplication: definition.gatewayApplication,
    provider,
    operations: operationTable(operations.map(definedOnly), scopes),
    operationEnforcement: definition.operationEnforcement ?? (operations.length > 0 ? 'enforced' : 'any'),
    mandateReuse: set.mandateReuse,
    require: requirementsOf(definition.require),
    rateLimit: definition.rateLimit && Object.freeze({ ...definition.rateLimit }),
    addressPolicy: addressPolicy(set.allowPrivateNetwork),
    passCookies: set.passCookies,
    redirects: set.redirects,
    forwarded: set.forwarded,
    websocket: set.websocket,
    onExpiry: set.onExpiry,
    mount: mountOf(definition.mount),
    tls: definition.tls && (Object.freeze(definedOnly(definition.tls)) satisfies TlsOptions),
    limits: limitsOf(definition),
    check: definition.check && Object.freeze({ ...definition.check }),
  });
}

function requirementsOf(required: ParsedDefinition['require']): Resource['require'] {
  return Object.freeze({
    session: required?.session ?? false,
    delegation: required?.delegation ?? false,
    maxHops: required?.maxHops,
    chainContains: Object.freeze([...(required?.chainContains ?? [])]),
  });
}

function mountOf(mount: ParsedDefinition['mount']): Resource['mount'] {
  if (mount === undefined) return undefined;
  const { host, pathPrefix = '/' } = mount;
  return Object.freeze({
    host: host?.toLowerCase(),
    pathPrefix: pathPrefix.endsWith('/') ? pathPrefix.slice(0, -1) : pathPrefix,
  });
}

function limitsOf(definition: ParsedDefinition): Limits {
  const { maxBodyBytes } = definition;
  return Object.freeze({
    connectTimeoutMs: definition.connectTimeoutMs ?? DEFAULT_LIMITS.connectTimeoutMs,
    headersTimeoutMs: definition.headersTimeoutMs ?? DEFAULT_LIMITS.headersTimeoutMs,
    idleTimeoutMs: definition.idleTimeoutMs ?? DEFAULT_LIMITS.idleTimeoutMs,
    streamIdleTimeoutMs: definition.streamIdleTimeoutMs ?? DEFAULT_LIMITS.streamIdleTimeoutMs,
    maxBodyBytes:
      maxBodyBytes === 'unlimited' ? Number.POSITIVE_INFINITY : (maxBodyBytes ?? DEFAULT_LIMITS.maxBodyBytes),
  });
}

type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

/** A copy without the members that are `undefined`, which count as absent. */
function definedOnly<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function nameOf(definition: unknown): string {
  const identifier = (definition as { identifier?: unknown } | null | undefined)?.identifier;
  return typeof identifier === 'string' ? JSON.stringify(identifier.slice(0, 128)) : 'without identifier';
}
