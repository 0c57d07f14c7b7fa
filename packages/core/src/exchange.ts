import type { Outcome } from './audit/record.js';
import type { ErrorCode } from './errors.js';
import type { Plan } from './forward/plan.js';
import type { Refusal } from './head.js';
import type { Mandate } from './verify/mandate.js';

/** Why the gateway ends an exchange that is under way. */
export type EndReason = 'revoked' | 'expired' | 'shutdown' | 'timeout';

/** What is known of an exchange at its end. */
export interface Settlement {
  readonly outcome: Outcome;
  /** What the caller was answered, `undefined` where nothing was. */
  readonly status: number | undefined;
  readonly upstreamStatus: number | undefined;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Monotonic ms from receipt to the first byte of the answer. */
  readonly firstByteMs: number | undefined;
  readonly attempts: number;
  readonly error: ErrorCode | undefined;
  readonly reason: string | undefined;
}

/** An admitted request. It is live, and counted, until it is settled. */
export interface Exchange {
  readonly kind: 'exchange';
  readonly requestId: string;
  /** Who was admitted. */
  readonly principal: Mandate;
  /** What to send upstream; `undefined` for a resource that is only enforced in process. */
  readonly plan: Plan | undefined;
  /** Registers the one listener told, synchronously, when the gateway ends this exchange. */
  onEnd(listener: (reason: EndReason) => void): void;
  /** The caller's head made from the upstream's, or a refusal instead of it (redirects that are not allowed). */
  response(status: number, headers: readonly string[]): { readonly status: number; readonly headers: string[] } | Refusal;
  /** The answer for what went wrong after admission. */
  refuse(code: ErrorCode, reason?: string): Refusal;
  /** Whether an upstream 401 may be answered with another credential. */
  renewable(): boolean;
  /** Gets another credential and changes `plan` to it; `false` where there is none to be had. Never rejects. */
  renew(): Promise<boolean>;
  /** Ends the exchange and writes its record. Only the first call counts. */
  settle(settlement: Settlement): void;
  /** Aborts when the gateway ends this exchange. Made when first read: it costs more than the decision. */
  readonly signal: AbortSignal;
}
