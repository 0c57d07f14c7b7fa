import type { Readable } from 'node:stream';
import type { Transport } from '@caracal/core';
import { undiciTransport } from '@caracal/transport';

/** How long a caller may take to send the head of a request, ms. There is no limit on the whole request. */
export const DEFAULT_HEADERS_TIMEOUT_MS = 60_000;

/** How long an idle connection is kept, ms: longer than the 60 s at which common load balancers give up theirs. */
export const DEFAULT_KEEP_ALIVE_TIMEOUT_MS = 65_000;

/** What every entry point of this adapter takes. */
export interface NodeHandlerOptions {
  /** How bytes reach the upstreams; its owner closes it. Default: an `undiciTransport()` of the adapter's own, which it closes. */
  readonly transport?: Transport<Readable>;
  /**
   * Addresses and CIDR blocks of the proxies in front (and `unix`, for a socket of the file system), whose `X-Forwarded-For`
   * names the caller: for counting failures, for records, and for what the upstream is told. Default none.
   */
  readonly trustedProxies?: readonly string[];
}

/** Options of the HTTP server itself. */
export interface HttpServerOptions {
  /** Default {@link DEFAULT_HEADERS_TIMEOUT_MS}. A slower head is answered with 408. */
  readonly headersTimeoutMs?: number;
  /** Default {@link DEFAULT_KEEP_ALIVE_TIMEOUT_MS}. */
  readonly keepAliveTimeoutMs?: number;
}

/** Options of `createServer`. */
export interface CreateServerOptions extends NodeHandlerOptions, HttpServerOptions {}

/** The transport an entry point uses, and what to do with it in the end. */
export interface TransportUse {
  readonly transport: Transport<Readable>;
  /** Closes the transport if it is ours. Idempotent. */
  close(): Promise<void>;
}

const HANDLER_KEYS: readonly string[] = ['transport', 'trustedProxies'];
const SERVER_KEYS: readonly string[] = ['headersTimeoutMs', 'keepAliveTimeoutMs'];

/** @throws TypeError that names an unknown or wrong option */
export function checkHandlerOptions(options: NodeHandlerOptions): void {
  refuseUnknownKeys(options, HANDLER_KEYS);
}

/** @throws TypeError that names an unknown or wrong option */
export function checkCreateServerOptions(options: CreateServerOptions): void {
  refuseUnknownKeys(options, [...HANDLER_KEYS, ...SERVER_KEYS]);
}

/** @throws TypeError that names an unknown option, or the transport where it is missing */
export function checkUpgradeOptions(options: NodeHandlerOptions): void {
  refuseUnknownKeys(options, [...HANDLER_KEYS, 'accepts']);
  if (options.transport === undefined) {
    throw new TypeError('Option "transport" is missing: hand in the one that the request handler uses.');
  }
}

/** @throws TypeError that names an unknown or wrong option */
export function checkServerOptions(options: HttpServerOptions): void {
  refuseUnknownKeys(options, SERVER_KEYS);
  requirePositive('headersTimeoutMs', options.headersTimeoutMs);
  requirePositive('keepAliveTimeoutMs', options.keepAliveTimeoutMs);
}

/** The transport of the options, else one of our own. */
export function transportOf(options: NodeHandlerOptions): TransportUse {
  const { transport } = options;
  if (transport !== undefined) return { transport, close: () => Promise.resolve() };
  const own = undiciTransport();
  return { transport: own, close: () => own.close() };
}

/** @throws TypeError where `value` is given and is not a whole number of ms above 0 */
export function requirePositive(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return;
  throw new TypeError(`Option "${name}" must be a whole number of milliseconds above 0.`);
}

/** @throws TypeError that names the key */
export function refuseUnknownKeys(options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw new TypeError(`Unknown option "${key}". Known are: ${known.join(', ')}.`);
  }
}
