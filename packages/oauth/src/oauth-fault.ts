/** Details of a fault. */
export interface OAuthFaultDetails {
  /** What an operator is told by `caracal check`: no token, secret or address of a caller is in it. */
  readonly explanation?: string;
  /** The request has certainly not reached the server: what it presented is as good as before. */
  readonly unsent?: boolean;
  /** The server asked for so much patience. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * A token could not be had. `reason` is fixed text for records. There is no `cause`: a library's error may hold the very
 * answer of the token endpoint, and causes end up in logs.
 */
export class OAuthFault extends Error {
  override readonly name = 'OAuthFault';
  readonly reason: string;
  readonly explanation: string | undefined;
  readonly unsent: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(reason: string, { explanation, unsent = false, retryAfterMs }: OAuthFaultDetails = {}) {
    super(`oauth: ${reason}`);
    this.reason = reason;
    this.explanation = explanation;
    this.unsent = unsent;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Makes a fault of whatever was thrown; what is not ours keeps nothing but its kind. */
export function faultOf(cause: unknown, reason: string): OAuthFault {
  if (cause instanceof OAuthFault) return cause;
  const known = (cause as { code?: unknown } | null)?.code === 'credential_unavailable';
  return new OAuthFault(known ? (cause as { reason: string }).reason : reason);
}
