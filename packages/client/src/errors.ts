/** Facts about a refused call. */
export interface ErrorFacts {
  /** HTTP status; 0 where there was no answer. */
  readonly status?: number;
  /** The gateway's or the token service's id of the request: its evidence is found by it. */
  readonly requestId?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly scopes?: readonly string[];
  readonly connectUri?: string | undefined;
  readonly cause?: unknown;
}

/**
 * A call that Caracal refused, or that never left. `code` is stable; `message` says what to do and holds no token, no query and
 * nothing the upstream sent. An answer of the upstream, whatever its status, is never one of these.
 */
export class CaracalError extends Error {
  override readonly name: string = 'CaracalError';
  readonly code: string;
  readonly status: number;
  readonly requestId: string | undefined;
  /** When another try makes sense, s. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: string, facts: ErrorFacts = {}) {
    super(`${code}: ${ADVICE[code] ?? ASK_OPERATOR}`, 'cause' in facts ? { cause: facts.cause } : undefined);
    this.code = code;
    this.status = facts.status ?? 0;
    this.requestId = facts.requestId;
    this.retryAfterSeconds = facts.retryAfterSeconds;
  }
}

/** The person has to connect an account at the upstream first: send them to `connectUri`. */
export class ConnectionRequiredError extends CaracalError {
  override readonly name = 'ConnectionRequiredError';
  readonly connectUri: string | undefined;

  constructor(code: string, facts: ErrorFacts = {}) {
    super(code, facts);
    this.connectUri = facts.connectUri;
  }
}

/** The operation needs `scopes`, all of them. */
export class InsufficientScopeError extends CaracalError {
  override readonly name = 'InsufficientScopeError';
  readonly scopes: readonly string[];

  constructor(code: string, facts: ErrorFacts = {}) {
    super(code, facts);
    this.scopes = facts.scopes ?? [];
  }
}

/** Somebody revoked the authority. Later calls fail with it at once, without a request, until `forget()`. */
export class SessionRevokedError extends CaracalError {
  override readonly name = 'SessionRevokedError';
}

/** The gateway does not accept the mandate: `invalid_token`, `token_replayed`. New ones were tried where that could help. */
export class InvalidMandateError extends CaracalError {
  override readonly name = 'InvalidMandateError';
}

/** This application may not do this: `resource_not_permitted`, `operation_not_permitted`, `access_denied` and others of 403. */
export class NotPermittedError extends CaracalError {
  override readonly name = 'NotPermittedError';
}

/** Too many requests: see `retryAfterSeconds`. */
export class RateLimitedError extends CaracalError {
  override readonly name = 'RateLimitedError';
}

/** The gateway cannot decide now and so refuses. The upstream has not seen the call, but for code `shutting_down`, where it may. */
export class UnavailableError extends CaracalError {
  override readonly name = 'UnavailableError';
}

/** The gateway got no usable answer from the upstream. */
export class UpstreamError extends CaracalError {
  override readonly name = 'UpstreamError';

  /** The upstream may have carried out the call. */
  get mayHaveHappened(): boolean {
    return this.code === 'upstream_invalid' || this.code === 'upstream_timeout';
  }
}

/** No mandate could be had: `code` is the token service's (RFC 6749), or `token_service_unreachable`. */
export class MintError extends CaracalError {
  override readonly name = 'MintError';
}

type ErrorClass = new (code: string, facts?: ErrorFacts) => CaracalError;

const CLASS_OF_CODE: Readonly<Record<string, ErrorClass>> = {
  connection_required: ConnectionRequiredError,
  insufficient_scope: InsufficientScopeError,
  session_revoked: SessionRevokedError,
  missing_token: InvalidMandateError,
  invalid_token: InvalidMandateError,
  token_replayed: InvalidMandateError,
  rate_limited: RateLimitedError,
};

/** The error of a code in `X-Caracal-Error`. */
export function refusalError(code: string, facts: ErrorFacts & { readonly status: number }): CaracalError {
  const { status } = facts;
  const known = Object.hasOwn(CLASS_OF_CODE, code) ? CLASS_OF_CODE[code]! : undefined;
  const byStatus =
    status === 403
      ? NotPermittedError
      : status === 503
        ? UnavailableError
        : /^(upstream|redirect)_/.test(code)
          ? UpstreamError
          : CaracalError;
  return new (known ?? byStatus)(code, facts);
}

/** For every code that is a fault on our side. */
const ASK_OPERATOR = 'The fault is not yours; its operator finds the cause by the request id. Try later.';

const ADVICE: Readonly<Record<string, string>> = {
  invalid_request: 'The gateway does not accept the form of the request; see resource, path and headers.',
  missing_token: 'No mandate arrived; something between agent and gateway removes Authorization.',
  invalid_token: 'The gateway does not trust this mandate; compare issuer and zone with its configuration.',
  token_replayed: 'The resource takes each mandate once and this one was used.',
  session_revoked: 'The authority was revoked. Do not retry; ask whoever revoked it.',
  resource_not_permitted: 'The mandate does not reach this resource; have the application granted it.',
  operation_not_permitted: 'Method and path are not an operation of the resource.',
  insufficient_scope: 'A scope is missing; ask for all of scopes, and have the application granted them.',
  session_required: 'The resource wants a mandate of an agent session.',
  delegation_required: 'The resource wants a delegated mandate.',
  hop_count_exceeded: 'The mandate was delegated too often.',
  chain_mismatch: 'The delegation chain is not one the resource accepts.',
  access_denied: 'A policy denies it; its operator finds the reason by the request id.',
  connection_required: 'An account must be connected first; send the person to connectUri.',
  payload_too_large: 'The body is larger than the resource accepts.',
  rate_limited: 'Too many requests; wait for retryAfterSeconds.',
  shutting_down: 'The gateway was shutting down; repeat the call if that is safe.',
  upstream_not_allowed: 'The address of the upstream is not allowed; it was not contacted.',
  upstream_unreachable: 'The upstream could not be reached; nothing was sent.',
  upstream_timeout: 'The upstream did not answer in time; it may have carried out the call.',
  upstream_invalid: 'The upstream gave no valid answer; it may have carried out the call.',
  redirect_not_allowed: 'The upstream redirects to where the resource does not allow.',
  foreign_url: 'The URL is not under the gateway’s; a mandate goes nowhere else.',
  redirected: 'The upstream redirects, and a browser does not show where to.',
  invalid_client:
    'The token service does not know the application or its secret; check applicationId and applicationSecret.',
  invalid_scope: 'The application is not granted these scopes.',
  invalid_target: 'The application is not granted this resource, or not with these scopes.',
  unauthorized_client: 'The application may not do this.',
  token_response_invalid: 'What answered at tokenUrl is no token endpoint.',
  token_service_unreachable: 'The token service cannot be reached; check tokenUrl.',
};
