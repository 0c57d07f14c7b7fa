import type { ProviderKind } from '../attach/provider.js';
import type { ErrorCode } from '../errors.js';
import type { ChainLink } from '../verify/mandate.js';

/** Every type of a record. */
export const RECORD_TYPES = Object.freeze([
  'request.denied',
  'request.authorized',
  'request.completed',
  'mandate.issued',
  'mandate.denied',
  /** An administrator has made an address at which somebody connects an account without signing in. */
  'connection.invited',
  /** Written before the connection is: where saving it fails, `connection.denied` follows. */
  'connection.made',
  'connection.denied',
  /** The upstream takes its refresh token no more: only the person can help. */
  'connection.lost',
  'connection.ended',
  /** The upstream has taken the tokens of an ended connection back; or it has not, and they may be good there until they expire. */
  'connection.revoked',
  'connection.not_revoked',
  'gateway.started',
  'gateway.stopped',
  /** So many records (`count`) found no room or no sink: what they said is not known any more. */
  'records.omitted',
] as const);

export type RecordType = (typeof RECORD_TYPES)[number];

/**
 * What the token service answers in `error` beside `invalid_request`: the codes of OAuth, not of the gateway.
 * @see RFC 6749 section 5.2, RFC 8707 section 2
 */
export type TokenErrorCode =
  | 'invalid_client'
  | 'invalid_scope'
  | 'invalid_target'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'temporarily_unavailable'
  | 'server_error';

/**
 * Who did something about a connection: its subject, signed in; whoever held an invitation; an administrator; or the gateway by
 * itself.
 */
export type Initiator = 'person' | 'invitation' | 'administrator' | 'gateway';

/** How an exchange ended. */
export type Outcome =
  | 'executed'
  | 'refused'
  | 'upstream_error'
  | 'upstream_aborted'
  | 'timeout'
  | 'client_aborted'
  | 'revoked_mid_stream'
  | 'expired_mid_stream'
  | 'shutdown'
  | 'unknown';

/**
 * One piece of evidence. Never holds tokens, credentials, bodies, queries or header values; before the mandate was
 * verified it holds no claim. Text is bounded and free of NUL and lone surrogates. Times are ISO 8601, UTC.
 */
export interface AuditRecord {
  /** UUIDv7. */
  readonly id: string;
  readonly type: RecordType;
  readonly time: string;
  readonly bootId: string;
  readonly gatewayId: string;
  readonly requestId?: string | undefined;
  readonly clientRequestId?: string | undefined;
  readonly traceId?: string | undefined;
  readonly peer?: string | undefined;
  readonly zoneId?: string | undefined;
  readonly issuer?: string | undefined;
  readonly applicationId?: string | undefined;
  readonly subject?: string | undefined;
  readonly subjectType?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly rootSessionId?: string | undefined;
  readonly agentSessionId?: string | undefined;
  readonly delegationPath?: readonly string[] | undefined;
  readonly delegationChain?: readonly ChainLink[] | undefined;
  readonly hopCount?: number | undefined;
  readonly jti?: string | undefined;
  readonly resource?: string | undefined;
  readonly operation?:
    | { readonly method: string; readonly template: string | undefined; readonly name: string | undefined }
    | undefined;
  /** As received, without query. */
  readonly path?: string | undefined;
  readonly decision?: 'allowed' | 'denied' | 'preflight' | undefined;
  readonly error?: ErrorCode | TokenErrorCode | undefined;
  readonly reason?: string | undefined;
  /** Determining policies of the authorizers. */
  readonly policies?: readonly string[] | undefined;
  readonly provider?:
    | { readonly id: string; readonly kind: ProviderKind; readonly connection: string | undefined }
    | undefined;
  readonly upstream?: { readonly host: string; readonly status: number | undefined } | undefined;
  /** What the caller was answered. */
  readonly status?: number | undefined;
  readonly requestBytes?: number | undefined;
  readonly responseBytes?: number | undefined;
  readonly durationMs?: number | undefined;
  readonly firstByteMs?: number | undefined;
  readonly attempts?: number | undefined;
  readonly outcome?: Outcome | undefined;
  /** Of an issued mandate: what it is for. */
  readonly use?: 'session' | 'gateway' | 'resource' | undefined;
  /** Of an issued mandate: resource identifiers it may reach. */
  readonly targets?: readonly string[] | undefined;
  /** Of an issued mandate; of a connection, what the upstream has granted. */
  readonly scopes?: readonly string[] | undefined;
  /** The application that asked the token service, where the mandate names another one. */
  readonly requester?: string | undefined;
  /** Of a connection: who made or ended it. */
  readonly initiator?: Initiator | undefined;
  /** This record stands for so many refusals alike. */
  readonly count?: number | undefined;
}
