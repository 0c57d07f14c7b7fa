import type { Outcome } from '../audit/record.js';
import type { ErrorCode } from '../errors.js';
import type { Plan } from './plan.js';
import type { TransportFailureKind } from './transport.js';

/** Attempts one exchange may make because connections break. */
export const MAX_ATTEMPTS = 3;

/** What is known of an attempt that failed before an answer. */
export interface FailedAttempt {
  /** Attempts made so far, this one included. */
  readonly attempts: number;
  /** Its first bytes were written. */
  readonly started: boolean;
  /** Its connection had served a request before. */
  readonly reused: boolean;
  /** Interim responses that came. */
  readonly interims: number;
}

/**
 * Whether the request may be sent on another connection. While none of its bytes was written any request may; after
 * that only a safe one without a body, once, and only where the likely cause is a kept connection that the upstream
 * closed at the same moment. @see RFC 9110 section 9.2.2, RFC 9112 section 9.3.1
 */
export function canSendAgain(kind: TransportFailureKind, attempt: FailedAttempt, plan: Plan): boolean {
  if (kind !== 'closed') return false;
  if (!attempt.started) return attempt.attempts < MAX_ATTEMPTS;
  return (
    attempt.attempts === 1 && attempt.reused && attempt.interims === 0 && plan.framing === 'none' && isSafe(plan.method)
  );
}

function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

/** How a failure before any answer is answered; `code` is `undefined` where nobody is left to answer. */
export function failedAnswer(kind: TransportFailureKind): { code: ErrorCode | undefined; outcome: Outcome } {
  switch (kind) {
    case 'address':
      return { code: 'upstream_not_allowed', outcome: 'upstream_error' };
    case 'unreachable':
      return { code: 'upstream_unreachable', outcome: 'upstream_error' };
    case 'timeout':
      return { code: 'upstream_timeout', outcome: 'timeout' };
    // It was reached, so that the request may have been carried out: "unreachable" would invite sending it again.
    case 'closed':
    case 'invalid':
      return { code: 'upstream_invalid', outcome: 'upstream_error' };
    case 'body':
      return { code: undefined, outcome: 'client_aborted' };
  }
}
