import type { Outcome } from '../audit/record.js';
import type { ErrorCode } from '../errors.js';
import type { EndReason, Exchange, Follower } from '../exchange.js';
import { ENDINGS } from '../forward/endings.js';
import type { Refusal } from '../head/head.js';
import type { Mandate } from '../verify/mandate.js';

/** What a service that enforces inside itself is told of a request it handles. */
export interface Admitted {
  readonly requestId: string;
  /** Who was admitted. */
  readonly principal: Mandate;
  /** Aborts when the gateway ends the exchange: revoked, expired, shut down. The reason says which. */
  readonly signal: AbortSignal;
}

/** How an adapter takes the answer out of the service's hands. What the service still writes then must be harmless. */
export interface EnforcedCaller {
  /** Answers instead of the service, which has not begun to. */
  refuse(refusal: Refusal): void;
  /** Breaks off an answer that has begun, so that the caller can tell. */
  destroy(): void;
}

/** A request that a service handles by itself, seen from the adapter. Calls after the end are harmless. */
export interface Enforced {
  readonly admitted: Admitted;
  /** So much of the request's body came. `false`: it is over the limit and was answered; the rest is to be thrown away. */
  received(bytes: number): boolean;
  /** The head of the service's answer. `contentType` as it will be sent. */
  responding(status: number, contentType: string | undefined): void;
  /** So much of the answer's body was written. */
  sent(bytes: number): void;
  /** The answer was written to its end. */
  finished(): void;
  /** The caller went away, or the service broke off, before that. */
  gone(): void;
  /** Something about the request cannot be served: answered in place of the service. `cause` is told to the operator. */
  refuse(code: ErrorCode, reason: string, cause?: unknown): void;
}

/**
 * Carries an admitted exchange to its end where a service handles the request by itself: counts, cuts, and settles exactly
 * once. The verdict came before; what is written down is what a forwarded request leaves.
 */
export function enforce(exchange: Exchange, caller: EnforcedCaller): Enforced {
  const enforcement = new Enforcement(exchange, caller);
  exchange.follow(enforcement);
  return enforcement;
}

class Enforcement implements Enforced, Follower {
  /** It has no deadlines: how long its service takes is the service's own. */
  readonly tickMs = Number.POSITIVE_INFINITY;
  readonly #exchange: Exchange;
  readonly #caller: EnforcedCaller;
  #status: number | undefined;
  #firstByteMs: number | undefined;
  #requestBytes = 0;
  #responseBytes = 0;
  #settled = false;

  constructor(exchange: Exchange, caller: EnforcedCaller) {
    this.#exchange = exchange;
    this.#caller = caller;
  }

  get admitted(): Admitted {
    const exchange = this.#exchange;
    return {
      requestId: exchange.requestId,
      principal: exchange.principal,
      // Read through: a signal costs more than the decision, and most services ask for none.
      get signal() {
        return exchange.signal;
      },
    };
  }

  received(bytes: number): boolean {
    if (this.#settled) return false;
    this.#requestBytes += bytes;
    if (this.#requestBytes <= this.#exchange.limits.maxBodyBytes) return true;
    this.refuse('payload_too_large', 'streamed_length');
    return false;
  }

  responding(status: number, contentType: string | undefined): void {
    if (this.#settled || this.#status !== undefined) return;
    this.#status = status;
    this.#firstByteMs = this.#exchange.elapsedMs();
    if (contentType?.trimStart().toLowerCase().startsWith('text/event-stream')) this.#exchange.streams();
  }

  sent(bytes: number): void {
    this.#responseBytes += bytes;
  }

  finished(): void {
    this.#settle('executed');
  }

  gone(): void {
    this.#settle('client_aborted');
  }

  refuse(code: ErrorCode, reason: string, cause?: unknown): void {
    this.#answer(code, reason, 'refused', cause);
  }

  // --- what the gateway tells

  ended(reason: EndReason): void {
    const { code, outcome } = ENDINGS[reason];
    this.#answer(code, reason, outcome);
  }

  tick(): void {}

  #answer(code: ErrorCode, reason: string, outcome: Outcome, cause?: unknown): void {
    if (this.#settled) return;
    if (this.#status !== undefined) {
      this.#settle(outcome, undefined, reason);
      return this.#caller.destroy();
    }
    const refusal = this.#exchange.refuse(code, reason, cause);
    this.#status = refusal.status;
    // Before it is written, so that none of its bytes count as the service's.
    this.#settle(outcome, refusal.code, reason);
    this.#caller.refuse(refusal);
  }

  #settle(outcome: Outcome, error?: ErrorCode, reason?: string): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#exchange.settle({
      outcome,
      status: this.#status,
      // Nothing was called on the caller's behalf.
      upstreamStatus: undefined,
      requestBytes: this.#requestBytes,
      responseBytes: this.#responseBytes,
      firstByteMs: this.#firstByteMs,
      attempts: 0,
      error,
      reason,
    });
  }
}
