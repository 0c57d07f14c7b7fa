import { type Denial, type ErrorCode, STATUS_OF_CODE, STATUS_OF_REASON } from './errors.js';
import type { Refusal } from './head/head.js';
import { WEBSOCKET_VERSION } from './head/websocket-offer.js';

/** What each code tells the caller. Fixed text: no token, key, query, upstream address or stack can be in it. */
export const DESCRIPTION_OF_CODE: Readonly<Record<ErrorCode, string>> = Object.freeze({
  invalid_request: 'The request is not well formed, or says something the gateway does not accept.',
  missing_token: 'A mandate is required: send it as Authorization: Bearer <mandate>.',
  invalid_token: 'The mandate is malformed, expired, not yet valid, or not from a trusted issuer for this gateway.',
  issuer_unavailable: "The keys of the mandate's issuer cannot be had at the moment.",
  overloaded: 'Too many mandates are waiting to be verified.',
  revocation_unavailable: 'Whether the session was revoked cannot be told at the moment.',
  session_revoked: 'The authority behind this mandate has been revoked.',
  directory_unavailable: 'The resource cannot be looked up at the moment.',
  resource_not_permitted: 'The mandate does not reach this resource.',
  payload_too_large: 'The request body is larger than this resource accepts.',
  upgrade_not_permitted: 'This resource accepts no upgrade of the connection.',
  operation_not_permitted: 'This method and path are not an operation of this resource.',
  insufficient_scope: 'The mandate lacks a scope that this operation needs.',
  session_required: 'This resource requires a mandate of an agent session.',
  delegation_required: 'This resource requires a delegated mandate.',
  hop_count_exceeded: 'The mandate was delegated more often than this resource allows.',
  chain_mismatch: 'The delegation chain is not one this resource accepts.',
  rate_limited: 'Too many requests of this application to this resource.',
  rate_limit_unavailable: 'The rate limit cannot be judged at the moment.',
  access_denied: 'A policy denies this request.',
  authorizer_unavailable: 'The decision on this request cannot be had at the moment.',
  credential_unavailable: 'The credential for the upstream cannot be had at the moment.',
  connection_required: 'An account must be connected first: see connect_uri.',
  audit_unavailable: 'The evidence of this request cannot be kept at the moment.',
  token_replayed: 'This mandate was good for one use and has been used, or was issued too early to tell.',
  replay_unavailable: 'Whether the mandate was used before cannot be told at the moment.',
  upstream_not_allowed: 'The address of the upstream is not allowed.',
  upstream_unreachable: 'The upstream cannot be reached.',
  upstream_timeout: 'The upstream did not answer in time.',
  upstream_invalid: 'The upstream did not give a valid answer.',
  redirect_not_allowed: 'The upstream redirects to a place this resource does not allow.',
  internal_error: 'The gateway failed. Nothing is wrong with the request as far as is known.',
  shutting_down: 'The gateway is shutting down.',
});

/** What a body says up to the identifier of its request: a flood of refusals must not cost more than it has to. All of it is ASCII. */
const BODY_BEGINNINGS = new Map(
  Object.entries(DESCRIPTION_OF_CODE).map(([code, description]) => {
    const members = JSON.stringify({ error: code, error_description: description });
    return [code, `${members.slice(0, -1)},"requestId":`];
  }),
);
const encoder = new TextEncoder();

/** What a refusal is made with beside the denial. */
export interface RefusalOptions {
  readonly requestId: string;
  /** Flat name, value list of CORS headers where the caller's origin is allowed. */
  readonly corsHeaders: readonly string[];
  /** 0 (inclusive) to 1 (exclusive): jitters `Retry-After`. */
  readonly random: number;
}

/** The HTTP status of a denial. */
export function statusOf(denial: Denial): number {
  if (denial.code !== 'invalid_request') return STATUS_OF_CODE[denial.code];
  return STATUS_OF_REASON[denial.reason] ?? STATUS_OF_CODE.invalid_request;
}

/** Makes the answer to a denied request. @see RFC 6750 section 3, RFC 9110 section 10.2.3 */
export function refusal(denial: Denial, options: RefusalOptions): Refusal {
  const { code, members } = denial;
  const status = statusOf(denial);
  const uri = members?.connectUri === undefined ? '' : `,"connect_uri":${JSON.stringify(members.connectUri)}`;
  const varying = `${JSON.stringify(options.requestId)}${uri}}`;
  const body = BODY_BEGINNINGS.get(code) + varying;
  const headers = [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(body.length - varying.length + encoder.encode(varying).length),
    'Cache-Control',
    'no-store',
    'X-Caracal-Error',
    code,
    'X-Caracal-Request-Id',
    options.requestId,
  ];
  const challenge = challengeOf(denial, status);
  if (challenge !== undefined) headers.push('WWW-Authenticate', challenge);
  if (members?.allow !== undefined) headers.push('Allow', members.allow);
  // RFC 6455 section 4.4: which version would do. RFC 9110 section 15.5.22: a 426 says what to upgrade to.
  if (status === 426) {
    headers.push('Sec-WebSocket-Version', WEBSOCKET_VERSION, 'Upgrade', 'websocket', 'Connection', 'Upgrade');
  }
  if (status === 429 || status === 503) {
    const seconds = members?.retryAfterSeconds ?? 1 + Math.floor(options.random * 5);
    headers.push('Retry-After', String(seconds));
  }
  headers.push(...options.corsHeaders);
  return { kind: 'refusal', status, headers, body, code, requestId: options.requestId };
}

// RFC 6750 section 3.1: without credentials the challenge carries no error code.
function challengeOf(denial: Denial, status: number): string | undefined {
  if (denial.code === 'missing_token') return 'Bearer realm="caracal"';
  if (status === 401) return 'Bearer realm="caracal", error="invalid_token"';
  if (denial.code !== 'insufficient_scope') return undefined;
  const scope = denial.members?.scope;
  return `Bearer realm="caracal", error="insufficient_scope"${scope === undefined ? '' : `, scope="${scope}"`}`;
}
