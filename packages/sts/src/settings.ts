import {
  type AuditSink,
  type Clock,
  type Durability,
  isName,
  memoryAuditSink,
  memoryReplayStore,
  memoryRevocationStore,
  type ReplayStore,
  type RevocationStore,
  refuseUnknownOptions,
  type SecretStore,
  systemClock,
  type Telemetry,
  wholeNumber,
} from '@caracal/core';
import { type Application, type ApplicationOptions, knownApplications } from './application.js';
import type { TokenError } from './denied.js';
import { type Endpoints, endpointsOf } from './http/endpoints.js';
import { memorySigningKeyStore, type SigningAlgorithm, type SigningKeyStore } from './keys/signing-key.js';
import { LONGEST_TTL_SECONDS } from './mandate/mandate-life.js';
import { type KnownResource, knownResources, type TokenResource } from './resource.js';

/** A fault on our side: what failed, for whom, and why. `cause` may hold addresses; it goes to no caller. */
export interface TokenServiceFault {
  readonly requestId: string | undefined;
  readonly error: TokenError;
  readonly reason: string;
  readonly cause: unknown;
}

/** Options of `createTokenService`. Every port has an in-memory default. */
export interface TokenServiceOptions {
  /** `iss` of its mandates, and where its endpoints are: https (http on loopback), no trailing slash. */
  readonly issuer: string;
  /** Default `default`. */
  readonly zone?: string;
  /** Who may be issued mandates. At least one. */
  readonly applications: readonly ApplicationOptions[];
  /** What mandates can be issued for. A gateway's definitions will do. */
  readonly resources: readonly TokenResource[];
  /** Opens secrets that are references. */
  readonly secrets?: SecretStore;
  readonly keys?: SigningKeyStore;
  /** Of signing keys made from now on. Default `ES256`. */
  readonly algorithm?: SigningAlgorithm;
  /** A signing key of this age is followed by a new one, s. Looked at at creation and once an hour. Default: `rotate()` alone. */
  readonly rotateKeysAfterSeconds?: number;
  /** Shared with the gateways that have to see what is revoked here. */
  readonly revocations?: RevocationStore;
  /** Remembers assertions of applications. */
  readonly replays?: ReplayStore;
  readonly audit?: {
    readonly sink?: AuditSink;
    /** Default `written`. */
    readonly durability?: Durability;
    /** Records on their way to the sink at once. Default 10,000. */
    readonly room?: number;
  };
  /** Spans and metrics, see `openTelemetry` of `@caracal/core/opentelemetry`. Default none. */
  readonly telemetry?: Telemetry;
  /** Name in records. Default `token-service`. */
  readonly serviceId?: string;
  /** How old the proof may be that revocation state is complete, ms. Default 10,000. */
  readonly maxStalenessMs?: number;
  /** How long a port may take, ms. Default 5,000. */
  readonly portTimeoutMs?: number;
  /** Told of faults on our side. Default: one line on the console without the cause's text. */
  readonly onFault?: (fault: TokenServiceFault) => void;
  readonly clock?: Clock;
}

/** Defaults of {@link TokenServiceOptions}. */
export const TOKEN_SERVICE_DEFAULTS = Object.freeze({
  zone: 'default',
  algorithm: 'ES256' satisfies SigningAlgorithm as SigningAlgorithm,
  durability: 'written' satisfies Durability as Durability,
  room: 10_000,
  serviceId: 'token-service',
  maxStalenessMs: 10_000,
  portTimeoutMs: 5_000,
});

/** How long a key is published after it has signed last, s: the longest life of a mandate, and a minute. */
export const KEY_OVERLAP_SECONDS = LONGEST_TTL_SECONDS + 60;

/** Options with every default filled in. */
export interface Settings {
  readonly endpoints: Endpoints;
  readonly zone: string;
  readonly applications: ReadonlyMap<string, Application>;
  readonly resources: ReadonlyMap<string, KnownResource>;
  readonly keys: SigningKeyStore;
  readonly algorithm: SigningAlgorithm;
  readonly rotateKeysAfterSeconds: number | undefined;
  readonly revocations: RevocationStore;
  readonly replays: ReplayStore;
  readonly sink: AuditSink;
  readonly durability: Durability;
  readonly room: number;
  readonly telemetry: Telemetry | undefined;
  readonly serviceId: string;
  readonly maxStalenessMs: number;
  readonly portTimeoutMs: number;
  readonly onFault: (fault: TokenServiceFault) => void;
  readonly clock: Clock;
}

const FACTORY = 'createTokenService';
const KNOWN: readonly (keyof TokenServiceOptions)[] = [
  'issuer',
  'zone',
  'applications',
  'resources',
  'secrets',
  'keys',
  'algorithm',
  'rotateKeysAfterSeconds',
  'revocations',
  'replays',
  'audit',
  'telemetry',
  'serviceId',
  'maxStalenessMs',
  'portTimeoutMs',
  'onFault',
  'clock',
];

/** Checks options and fills in defaults. @throws TypeError that names the option and the remedy */
export function tokenServiceSettings(options: TokenServiceOptions): Settings {
  refuseUnknownOptions(FACTORY, options, KNOWN);
  refuseUnknownOptions(`${FACTORY}: audit`, options.audit ?? {}, ['sink', 'durability', 'room']);
  const filled = { ...TOKEN_SERVICE_DEFAULTS, ...definedOnly(options), ...definedOnly(options.audit ?? {}) };
  const { zone, algorithm, durability, clock = systemClock } = filled;
  if (!isName(zone)) throw new TypeError(`${FACTORY}: zone is 1 to 128 of A-Z a-z 0-9 . _ : -`);
  if (algorithm !== 'ES256' && algorithm !== 'EdDSA') {
    throw new TypeError(`${FACTORY}: algorithm is ES256 or EdDSA`);
  }
  if (durability !== 'synced' && durability !== 'written' && durability !== 'buffered') {
    throw new TypeError(`${FACTORY}: audit.durability is synced, written or buffered`);
  }
  const resources = knownResources(options.resources);
  return Object.freeze({
    endpoints: endpointsOf(options.issuer),
    zone,
    applications: knownApplications(options.applications, resources, options.secrets),
    resources,
    keys: options.keys ?? memorySigningKeyStore(),
    algorithm,
    rotateKeysAfterSeconds:
      options.rotateKeysAfterSeconds === undefined
        ? undefined
        : wholeNumber(FACTORY, 'rotateKeysAfterSeconds', options.rotateKeysAfterSeconds),
    revocations: options.revocations ?? memoryRevocationStore({ clock }),
    replays: options.replays ?? memoryReplayStore({ clock }),
    sink: options.audit?.sink ?? memoryAuditSink(),
    durability,
    room: wholeNumber(FACTORY, 'audit.room', filled.room, 8),
    telemetry: options.telemetry,
    serviceId: filled.serviceId,
    maxStalenessMs: wholeNumber(FACTORY, 'maxStalenessMs', filled.maxStalenessMs),
    portTimeoutMs: wholeNumber(FACTORY, 'portTimeoutMs', filled.portTimeoutMs),
    onFault: options.onFault ?? tellConsole,
    clock,
  });
}

function definedOnly<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

// Without the cause's text, which may name addresses or hold what a library put there.
function tellConsole({ requestId, error, reason, cause }: TokenServiceFault): void {
  const name = cause instanceof Error ? cause.name : typeof cause;
  console.error(JSON.stringify({ level: 'error', requestId, error, reason, cause: name }));
}
