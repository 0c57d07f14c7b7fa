import type { Awaitable } from '../pipeline.js';

/** Whose requests are counted together. Kept as fields: joined text would let one part pose as another. */
export interface RateLimitKey {
  readonly zoneId: string;
  readonly issuer: string;
  readonly applicationId: string;
  readonly resource: string;
}

/** At most `requests` in any window of `windowSeconds`. */
export interface RateLimit {
  readonly requests: number;
  readonly windowSeconds: number;
}

/** `retryAfterSeconds`: whole seconds, at least 1, until another request can succeed. */
export type RateVerdict = { readonly allowed: true } | { readonly allowed: false; readonly retryAfterSeconds: number };

/** Port: is this request within the limit? Atomic: counts and judges in one step. */
export interface RateLimiter {
  consume(key: RateLimitKey, limit: RateLimit): Awaitable<RateVerdict>;
}
