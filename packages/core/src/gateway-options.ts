import type { Attached, Received } from './admission.js';
import { admissionPipeline, type PipelineParts } from './admission-pipeline.js';
import type { AuditSink, Durability } from './audit/audit-sink.js';
import type { Authorizer } from './authorize/authorizer.js';
import type { RateLimiter } from './authorize/rate-limiter.js';
import type { ReplayStore } from './authorize/replay-store.js';
import { type Clock, systemClock } from './clock.js';
import type { ErrorCode } from './errors.js';
import type { Outbound } from './forward/outbound.js';
import { DEFAULT_HEAD_LIMITS, type HeadLimits } from './head/check-head.js';
import { memoryAuditSink } from './memory/audit-sink.js';
import { memoryRateLimiter } from './memory/rate-limiter.js';
import { memoryReplayStore } from './memory/replay-store.js';
import { memoryResourceDirectory } from './memory/resource-directory.js';
import { memoryRevocationStore } from './memory/revocation-store.js';
import { refuseUnknownOptions } from './option-checks.js';
import type { Pipeline } from './pipeline.js';
import type { ResourceDefinition } from './resolve/resource.js';
import type { ResourceDirectory } from './resolve/resource-directory.js';
import type { Telemetry } from './telemetry/telemetry.js';
import type { IssuerOptions } from './verify/issuers.js';
import type { RevocationStore } from './verify/revocation-store.js';

/** A fault on our side: what failed, for whom, and why. `cause` may hold addresses; it goes to no caller. */
export interface Fault {
  readonly requestId: string | undefined;
  readonly code: ErrorCode;
  readonly reason: string;
  readonly cause: unknown;
}

/** Options of {@link createGateway}. Every port has an in-memory default. */
export interface GatewayOptions {
  /** Who may sign mandates. At least one. */
  readonly issuers: readonly IssuerOptions[];
  /** What may be called; or a directory that knows. Exactly one of both. */
  readonly resources?: readonly ResourceDefinition[];
  readonly directory?: ResourceDirectory;
  readonly revocations?: RevocationStore;
  readonly replays?: ReplayStore;
  readonly rateLimiter?: RateLimiter;
  /** Asked in order; each can only narrow. */
  readonly authorizers?: readonly Authorizer[];
  /** Makes the pipeline of the parts below. Default {@link admissionPipeline}; begin with it to add a stage of your own. */
  readonly pipeline?: (parts: PipelineParts) => Pipeline<Received, Attached>;
  readonly audit?: {
    readonly sink?: AuditSink;
    /** Default `written`. */
    readonly durability?: Durability;
    /** Records that are on their way to the sink, or will be: an open exchange keeps a place for its last one. Default 65,536. */
    readonly room?: number;
  };
  /** Fetches key sets. Needed where an issuer has a `jwksUri`. */
  readonly outbound?: Outbound;
  /** Spans and metrics, see `openTelemetry` of `@caracal/core/opentelemetry`. Default none. */
  readonly telemetry?: Telemetry;
  /** Where callers reach this gateway: scheme, host, port. Redirects into a resource are rewritten to it. */
  readonly publicUrl?: string;
  /** Name in records. Default `gateway`. */
  readonly gatewayId?: string;
  readonly cors?: { readonly origins: readonly string[] };
  readonly headLimits?: Partial<HeadLimits>;
  /** How old the proof may be that revocation state is complete, ms. Default 10,000. */
  readonly maxStalenessMs?: number;
  /** How long a port may take, ms. Default 5,000. */
  readonly portTimeoutMs?: number;
  /** How long one authorizer may take, ms. Default 1,000. */
  readonly authorizerTimeoutMs?: number;
  /** Told of faults on our side. Default: one line on the console without the cause's text. */
  readonly onFault?: (fault: Fault) => void;
  readonly clock?: Clock;
}

/** Defaults of {@link GatewayOptions}. */
export const GATEWAY_DEFAULTS = Object.freeze({
  durability: 'written' satisfies Durability as Durability,
  room: 65_536,
  gatewayId: 'gateway',
  maxStalenessMs: 10_000,
  portTimeoutMs: 5_000,
  authorizerTimeoutMs: 1_000,
});

/** Options with every default filled in. */
export interface GatewaySettings {
  readonly issuers: readonly IssuerOptions[];
  readonly directory: ResourceDirectory;
  readonly revocations: RevocationStore;
  readonly replays: ReplayStore;
  readonly rateLimiter: RateLimiter;
  readonly authorizers: readonly Authorizer[];
  readonly pipeline: (parts: PipelineParts) => Pipeline<Received, Attached>;
  readonly sink: AuditSink;
  readonly durability: Durability;
  readonly room: number;
  readonly outbound: Outbound | undefined;
  readonly telemetry: Telemetry | undefined;
  readonly publicUrl: string | undefined;
  readonly gatewayId: string;
  readonly corsOrigins: readonly string[];
  readonly headLimits: HeadLimits;
  readonly maxStalenessMs: number;
  readonly portTimeoutMs: number;
  readonly authorizerTimeoutMs: number;
  readonly onFault: (fault: Fault) => void;
  readonly clock: Clock;
}

const KNOWN: readonly (keyof GatewayOptions)[] = [
  'issuers',
  'resources',
  'directory',
  'revocations',
  'replays',
  'rateLimiter',
  'authorizers',
  'pipeline',
  'audit',
  'outbound',
  'telemetry',
  'publicUrl',
  'gatewayId',
  'cors',
  'headLimits',
  'maxStalenessMs',
  'portTimeoutMs',
  'authorizerTimeoutMs',
  'onFault',
  'clock',
];
const DURABILITIES: readonly string[] = ['synced', 'written', 'buffered'];

/** Checks options and fills in defaults. A mistake is a TypeError that names the option and the remedy. */
export function gatewaySettings(options: GatewayOptions): GatewaySettings {
  refuseUnknownOptions('createGateway', options, KNOWN);
  refuseUnknownOptions('createGateway: audit', options.audit ?? {}, ['sink', 'durability', 'room']);
  refuseUnknownOptions('createGateway: cors', options.cors ?? {}, ['origins']);
  refuseUnknownOptions('createGateway: headLimits', options.headLimits ?? {}, Object.keys(DEFAULT_HEAD_LIMITS));
  const { issuers, resources, directory, audit } = options;
  if (!Array.isArray(issuers) || issuers.length === 0) {
    throw new TypeError('createGateway: issuers is empty; name at least one issuer, or nobody could call');
  }
  if ((resources === undefined) === (directory === undefined)) {
    throw new TypeError('createGateway: give either resources or directory');
  }
  const durability = audit?.durability ?? GATEWAY_DEFAULTS.durability;
  if (!DURABILITIES.includes(durability)) {
    throw new TypeError(`createGateway: audit.durability is one of ${DURABILITIES.join(', ')}`);
  }
  const clock = options.clock ?? systemClock;
  return Object.freeze({
    issuers,
    directory: directory ?? memoryResourceDirectory(resources ?? []),
    revocations: options.revocations ?? memoryRevocationStore({ clock }),
    replays: options.replays ?? memoryReplayStore({ clock }),
    rateLimiter: options.rateLimiter ?? memoryRateLimiter({ clock }),
    authorizers: options.authorizers ?? [],
    pipeline: options.pipeline ?? admissionPipeline,
    sink: audit?.sink ?? memoryAuditSink(),
    durability,
    room: audit?.room ?? GATEWAY_DEFAULTS.room,
    outbound: options.outbound,
    telemetry: options.telemetry,
    publicUrl: options.publicUrl === undefined ? undefined : originOf('publicUrl', options.publicUrl),
    gatewayId: options.gatewayId ?? GATEWAY_DEFAULTS.gatewayId,
    corsOrigins: (options.cors?.origins ?? []).map((origin) => originOf('cors.origins', origin)),
    headLimits: { ...DEFAULT_HEAD_LIMITS, ...options.headLimits },
    maxStalenessMs: positive('maxStalenessMs', options.maxStalenessMs ?? GATEWAY_DEFAULTS.maxStalenessMs),
    portTimeoutMs: positive('portTimeoutMs', options.portTimeoutMs ?? GATEWAY_DEFAULTS.portTimeoutMs),
    authorizerTimeoutMs: positive(
      'authorizerTimeoutMs',
      options.authorizerTimeoutMs ?? GATEWAY_DEFAULTS.authorizerTimeoutMs,
    ),
    onFault: heard(options.onFault ?? consoleFaults(clock)),
    clock,
  });
}

function positive(name: string, value: number): number {
  if (typeof value !== 'number' || !(value > 0) || value > 2 ** 31 - 1) {
    throw new TypeError(`createGateway: ${name} is a number of ms above 0`);
  }
  return value;
}

function originOf(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.origin === 'null' || !/^https?:\/\/[^/?#]+\/?$/.test(text)) {
    throw new TypeError(`createGateway: ${name} takes origins such as https://gateway.example, without a path`);
  }
  return url.origin;
}

// Faults are told of where admission must not throw and where nobody waits for a write: another one would end the process.
function heard(tell: (fault: Fault) => void): (fault: Fault) => void {
  return (fault) => {
    try {
      tell(fault);
    } catch {
      // There is nobody left to tell that the one who is told of faults has failed.
    }
  };
}

/** Lines a second that are told of faults; the next one says how many were left out. */
const MAX_LINES_PER_SECOND = 10;

// Without the cause's text, which may name addresses or hold what a library put there. Bounded, because a caller without a
// mandate can cause faults while an issuer is down.
function consoleFaults(clock: Clock): (fault: Fault) => void {
  let since = Number.NEGATIVE_INFINITY;
  let lines = 0;
  let omitted = 0;
  return ({ requestId, code, reason, cause }) => {
    const now = clock.monotonic();
    if (now - since >= 1000) {
      since = now;
      lines = 0;
    }
    if (lines >= MAX_LINES_PER_SECOND) {
      omitted += 1;
      return;
    }
    lines += 1;
    const name = cause instanceof Error ? cause.name : typeof cause;
    console.error(
      JSON.stringify({ level: 'error', requestId, code, reason, cause: name, ...(omitted > 0 && { omitted }) }),
    );
    omitted = 0;
  };
}
