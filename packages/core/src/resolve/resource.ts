import type { Provider } from '../attach/provider.js';
import type { RateLimit } from '../authorize/rate-limiter.js';
import type { AddressPolicy } from '../forward/address-policy.js';
import type { TlsOptions } from '../forward/plan.js';
import type { OperationTable } from './operations.js';

/** One declared operation. `path` is a template: literals, `{name}`, a trailing `/**`. */
export interface OperationDefinition {
  readonly method: string;
  readonly path: string;
  readonly scopes?: readonly string[];
  readonly name?: string;
}

/** Deadlines and sizes towards one upstream. There is no total limit. */
export interface LimitsDefinition {
  readonly connectTimeoutMs?: number;
  readonly headersTimeoutMs?: number;
  /** No progress while the other side is ready. */
  readonly idleTimeoutMs?: number;
  /** The same for event streams and WebSockets. */
  readonly streamIdleTimeoutMs?: number;
  readonly maxBodyBytes?: number | 'unlimited';
}

/** A resource as people declare it. See docs/reference for every member. */
export interface ResourceDefinition extends LimitsDefinition {
  readonly identifier: string;
  /** Default `default`. */
  readonly zone?: string;
  readonly scopes?: readonly string[];
  /** Absent for a resource that is only enforced in process. */
  readonly upstreamUrl?: string;
  readonly gatewayApplication?: string;
  readonly provider: Provider;
  readonly operations?: readonly OperationDefinition[];
  readonly operationEnforcement?: 'enforced' | 'any';
  readonly mandateReuse?: 'until_expiry' | 'single_use';
  readonly require?: {
    readonly session?: boolean;
    readonly delegation?: boolean;
    readonly maxHops?: number;
    /** Application ids that must occur in the delegation chain, in this order. */
    readonly chainContains?: readonly string[];
  };
  readonly rateLimit?: RateLimit;
  readonly allowPrivateNetwork?: boolean | readonly string[];
  readonly allowPlaintext?: boolean;
  readonly passCookies?: boolean;
  readonly redirects?: 'pass' | 'block';
  readonly forwarded?: 'none' | 'x-forwarded' | 'forwarded';
  readonly websocket?: boolean;
  readonly onExpiry?: 'cut' | 'finish';
  readonly mount?: { readonly host?: string; readonly pathPrefix?: string };
  readonly tls?: TlsOptions;
  readonly check?: { readonly method: string; readonly path: string };
}

/** Limits with their defaults filled in; `maxBodyBytes` is `Infinity` for `"unlimited"`. */
export interface Limits {
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly streamIdleTimeoutMs: number;
  readonly maxBodyBytes: number;
}

export interface Upstream {
  /** Scheme, host, port: `https://billing.example`. */
  readonly origin: string;
  /** Value of `Host`. */
  readonly host: string;
  /** Base path without a trailing slash; empty for the root. */
  readonly basePath: string;
}

/** A resource checked and compiled by `defineResource`: what the pipeline works with. */
export interface Resource {
  readonly identifier: string;
  readonly zoneId: string;
  readonly scopes: readonly string[];
  readonly upstream: Upstream | undefined;
  readonly gatewayApplication: string | undefined;
  readonly provider: Provider;
  readonly operations: OperationTable;
  readonly operationEnforcement: 'enforced' | 'any';
  readonly mandateReuse: 'until_expiry' | 'single_use';
  readonly require: {
    readonly session: boolean;
    readonly delegation: boolean;
    readonly maxHops: number | undefined;
    readonly chainContains: readonly string[];
  };
  readonly rateLimit: RateLimit | undefined;
  readonly addressPolicy: AddressPolicy;
  readonly passCookies: boolean;
  readonly redirects: 'pass' | 'block';
  readonly forwarded: 'none' | 'x-forwarded' | 'forwarded';
  readonly websocket: boolean;
  readonly onExpiry: 'cut' | 'finish';
  /** `host` is lower case; `pathPrefix` has no trailing slash and is empty for the root. */
  readonly mount: { readonly host: string | undefined; readonly pathPrefix: string } | undefined;
  readonly tls: TlsOptions | undefined;
  readonly limits: Limits;
  readonly check: { readonly method: string; readonly path: string } | undefined;
}
