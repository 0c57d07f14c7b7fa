import type { TokenErrorCode } from '@caracal/core';

/** What the token service answers in `error`. @see RFC 6749 section 5.2, RFC 8707 section 2 */
export type TokenError = 'invalid_request' | TokenErrorCode;

/** HTTP status of each {@link TokenError}, where its reason has none of its own. */
export const STATUS_OF_TOKEN_ERROR: Readonly<Record<TokenError, number>> = Object.freeze({
  invalid_request: 400,
  invalid_client: 401,
  invalid_scope: 400,
  invalid_target: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  temporarily_unavailable: 503,
  server_error: 500,
});

/**
 * A verdict against a request: a value, not an exception, because refusing is ordinary work. `error` goes to the caller;
 * `reason` is snake_case, fixed text, and goes to the record only.
 */
export class Denied {
  readonly error: TokenError;
  readonly reason: string;
  /** What went wrong on our side; told to `onFault`, never to the caller or the record. */
  readonly cause: unknown;
  /** HTTP status of the answer. */
  readonly status: number;

  constructor(error: TokenError, reason: string, cause?: unknown, status: number = STATUS_OF_TOKEN_ERROR[error]) {
    this.error = error;
    this.reason = reason;
    this.cause = cause;
    this.status = status;
  }
}

/** Shorthand for `new Denied(...)`. */
export function denied(error: TokenError, reason: string, cause?: unknown, status?: number): Denied {
  return new Denied(error, reason, cause, status);
}
