import type { Outcome } from './audit/record.js';
import type { ErrorCode } from './errors.js';
import type { Plan } from './forward/plan.js';
import type { Refusal } from './head/head.js';
import type { Limits } from './resolve/resource.js';
import type { Mandate } from './verify/mandate.js';

/** Why the gateway ends an exchange that is under way. */
export type EndReason = 'revoked' | 'expired' | 'shutdown';

/** Takes work that is to be done before anything else happens in this process, but after what is more urgent. */
export type Later = (rest: () => void) => void;

/** What follows an exchange: the drive, or a service that enforces in process. Both methods are called synchronously. */
export interface Follower {
  /**
   * The gateway ends this exchange now. Where many end together, `later` takes what the caller does not wait for (the upstream's
   * side, the record), and runs it in the same turn, once every caller has been cut off. Without it everything is done at once.
   */
  ended(reason: EndReason, later?: Later): void;
  /** Comes at least every `tickMs` while the exchange is live. `now`: monotonic ms. */
  tick(now: number): void;
  /** How often it wants to be asked, ms. */
  readonly tickMs: number;
}

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

/** What stands in the settlement of an exchange that sent nothing upstream; beside it, at least how it ended. */
export const NOTHING_SENT = Object.freeze({
  status: undefined,
  upstreamStatus: undefined,
  requestBytes: 0,
  responseBytes: 0,
  firstByteMs: undefined,
  attempts: 0,
  error: undefined,
  reason: undefined,
} satisfies Omit<Settlement, 'outcome'>);

/** The head for the caller, made from the upstream's. */
export interface ResponseHead {
  readonly kind: 'response';
  readonly status: number;
  /** Flat name, value list. */
  readonly headers: string[];
  /** An event stream or a WebSocket: silence is ordinary in it, and it may be cut when the mandate expires. */
  readonly longLived: boolean;
}

/** An admitted request. It is live, and counted, until it is settled. */
export interface Exchange {
  readonly kind: 'exchange';
  readonly requestId: string;
  /** Who was admitted. */
  readonly principal: Mandate;
  /** What to send upstream; `undefined` for a resource that is only enforced in process. */
  readonly plan: Plan | undefined;
  readonly limits: Limits;
  /** Monotonic ms since the request was received. */
  elapsedMs(): number;
  /** Registers the one follower, and tells it at once where the exchange has been ended already. A later call replaces it. */
  follow(follower: Follower): void;
  /** The caller's head made from the upstream's, or a refusal instead of it (a redirect that is not allowed). */
  response(status: number, headers: readonly string[]): ResponseHead | Refusal;
  /** The answer for what went wrong after admission. `cause` is told to the gateway's `onFault`, and to nobody else. */
  refuse(code: ErrorCode, reason?: string, cause?: unknown): Refusal;
  /**
   * Headers that every answer to this caller carries, where a service answers by itself: request id, what is left of the
   * mandate's life, `Vary`, CORS. Flat name, value list.
   */
  ownHeaders(): string[];
  /** The service answers with an event stream: it may be cut when the mandate expires. `response` tells by itself. */
  streams(): void;
  /** Whether an upstream 401 may be answered with another credential. */
  renewable(): boolean;
  /** Gets another credential and changes `plan` to it; `false` where there is none to be had. Never rejects. */
  renew(): Promise<boolean>;
  /** Ends the exchange and writes its record. Only the first call counts. */
  settle(settlement: Settlement): void;
  /** Aborts when the gateway ends this exchange. Made when first read: it costs more than the decision. */
  readonly signal: AbortSignal;
}
