/**
 * Every code a caller can meet in `error` and `X-Caracal-Error`, with the HTTP status it is answered with.
 * `invalid_request` has finer statuses of its own, see {@link STATUS_OF_REASON}.
 */
export const STATUS_OF_CODE = Object.freeze({
  invalid_request: 400,
  missing_token: 401,
  invalid_token: 401,
  issuer_unavailable: 503,
  overloaded: 503,
  revocation_unavailable: 503,
  session_revoked: 401,
  directory_unavailable: 503,
  resource_not_permitted: 403,
  payload_too_large: 413,
  upgrade_not_permitted: 403,
  operation_not_permitted: 403,
  insufficient_scope: 403,
  session_required: 403,
  delegation_required: 403,
  hop_count_exceeded: 403,
  chain_mismatch: 403,
  rate_limited: 429,
  rate_limit_unavailable: 503,
  access_denied: 403,
  authorizer_unavailable: 503,
  credential_unavailable: 503,
  connection_required: 403,
  audit_unavailable: 503,
  token_replayed: 401,
  replay_unavailable: 503,
  upstream_not_allowed: 502,
  upstream_unreachable: 502,
  upstream_timeout: 504,
  upstream_invalid: 502,
  redirect_not_allowed: 502,
  internal_error: 500,
  shutting_down: 503,
} as const);

/** A code a caller can meet. */
export type ErrorCode = keyof typeof STATUS_OF_CODE;

/** Reasons of `invalid_request` that RFC 9110 gives a status of their own. */
export const STATUS_OF_REASON: Readonly<Record<string, number>> = Object.freeze({
  method_not_allowed: 405,
  request_timeout: 408,
  target_too_long: 414,
  expectation_unknown: 417,
  websocket_version_unsupported: 426,
  headers_too_large: 431,
  http_version_unsupported: 505,
});

/** What a refusal says beside its code, where its row calls for it. */
export interface DenialMembers {
  /** Methods for `Allow`. */
  readonly allow?: string;
  /** Scopes the operation needs, space-delimited: goes into the challenge. */
  readonly scope?: string;
  /** Where the subject connects an account. */
  readonly connectUri?: string;
  /** Seconds until another try makes sense. */
  readonly retryAfterSeconds?: number;
  /** An authorizer's own reason and policies: go to the record. */
  readonly decision?: { readonly reason?: string; readonly policies?: readonly string[] };
  /** What went wrong on our side; told to `onFault`, never to the caller or the record. */
  readonly cause?: unknown;
}

/**
 * A verdict against the request: a value, not an exception, because refusing is ordinary work and must be cheap.
 * `code` goes to the caller; `reason` is snake_case, fixed text, and goes to the record only.
 */
export class Denial {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly members: DenialMembers | undefined;

  constructor(code: ErrorCode, reason: string, members?: DenialMembers) {
    this.code = code;
    this.reason = reason;
    this.members = members;
  }
}

/** Shorthand for `new Denial(...)`. */
export function deny(code: ErrorCode, reason: string, members?: DenialMembers): Denial {
  return new Denial(code, reason, members);
}

/**
 * A fault with a stable code. `message` is fixed text without any value a caller sent; details are in `reason` and
 * `cause`. Programmers' mistakes are `TypeError`s at creation instead.
 */
export class CaracalError extends Error {
  override readonly name = 'CaracalError';
  readonly code: ErrorCode;
  readonly reason: string;

  constructor(code: ErrorCode, reason: string, options?: { readonly cause?: unknown }) {
    super(`${code}: ${reason}`, options);
    this.code = code;
    this.reason = reason;
  }
}
