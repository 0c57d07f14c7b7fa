import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** Open connections per pool where nothing else is said. Generous, because an event stream holds one for as long as it lasts. */
export const DEFAULT_MAX_CONNECTIONS = 16_384;
/** Requests that may wait for a connection of a full pool where nothing else is said. */
export const DEFAULT_MAX_WAITING = 1_024;
/** Pools kept where nothing else is said. */
export const DEFAULT_MAX_POOLS = 1_024;
/** How long an idle connection is kept, in ms, where the upstream gives no hint: below the 5 s at which many servers close theirs. */
export const DEFAULT_KEEP_ALIVE_TIMEOUT_MS = 4_000;
/** The longest an idle connection is kept, in ms, whatever an upstream's `Keep-Alive` hint says. */
export const DEFAULT_KEEP_ALIVE_MAX_TIMEOUT_MS = 60_000;

/** Options of {@link undiciTransport}. Every one has a default; unknown ones are refused. */
export interface TransportOptions {
  /** Open connections per (origin, address policy, TLS options). Default {@link DEFAULT_MAX_CONNECTIONS}. */
  readonly maxConnections?: number;
  /** Requests waiting for a connection of a full pool; one more fails at once. Default {@link DEFAULT_MAX_WAITING}. */
  readonly maxWaiting?: number;
  /** Pools; the one not used for longest is retired for a new one. Default {@link DEFAULT_MAX_POOLS}. */
  readonly maxPools?: number;
  /** Life of an idle connection without a hint from the upstream. Default {@link DEFAULT_KEEP_ALIVE_TIMEOUT_MS}. */
  readonly keepAliveTimeoutMs?: number;
  /** Bound on the upstream's hint. Default {@link DEFAULT_KEEP_ALIVE_MAX_TIMEOUT_MS}. */
  readonly keepAliveMaxTimeoutMs?: number;
  /** Resolves host names, always asked with `all: true`. What it answers is filtered, then dialled. Default `dns.lookup`. */
  readonly lookup?: LookupFunction;
}

/** Options with their defaults filled in. */
export type ResolvedTransportOptions = Readonly<Required<TransportOptions>>;

const POSITIVE_INTEGERS = [
  'maxConnections',
  'maxWaiting',
  'maxPools',
  'keepAliveTimeoutMs',
  'keepAliveMaxTimeoutMs',
] as const;

const KNOWN: ReadonlySet<string> = new Set([...POSITIVE_INTEGERS, 'lookup']);

/**
 * Checks options and fills in their defaults.
 *
 * @throws TypeError for an unknown or impossible option, and where the environment turns TLS verification off.
 */
export function resolveTransportOptions(options: TransportOptions = {}): ResolvedTransportOptions {
  for (const name of Object.keys(options)) {
    if (!KNOWN.has(name)) throw new TypeError(`unknown transport option "${name}"; known are ${[...KNOWN].join(', ')}`);
  }
  for (const name of POSITIVE_INTEGERS) {
    const value = options[name];
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1)) {
      throw new TypeError(`transport option "${name}" must be a positive integer`);
    }
  }
  if (options.lookup !== undefined && typeof options.lookup !== 'function') {
    throw new TypeError('transport option "lookup" must be a function like dns.lookup');
  }
  refuseDisabledVerification(process.env);
  return Object.freeze({
    maxConnections: options.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    maxWaiting: options.maxWaiting ?? DEFAULT_MAX_WAITING,
    maxPools: options.maxPools ?? DEFAULT_MAX_POOLS,
    keepAliveTimeoutMs: options.keepAliveTimeoutMs ?? DEFAULT_KEEP_ALIVE_TIMEOUT_MS,
    keepAliveMaxTimeoutMs: options.keepAliveMaxTimeoutMs ?? DEFAULT_KEEP_ALIVE_MAX_TIMEOUT_MS,
    lookup: options.lookup ?? (systemLookup as LookupFunction),
  });
}

// Every dial sets `rejectUnauthorized` itself, so the variable would be without effect here. Whoever set it expects an
// effect, though, and it does disarm every other TLS client of the process: credentials do not belong in such a process.
function refuseDisabledVerification(environment: NodeJS.ProcessEnv): void {
  if (environment.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    throw new TypeError(
      "NODE_TLS_REJECT_UNAUTHORIZED=0 turns TLS verification off: unset it, and trust a private authority with the resource's tls.ca instead",
    );
  }
}
