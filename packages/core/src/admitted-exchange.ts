import type { Attached } from './admission.js';
import type { Credential } from './attach/provider.js';
import type { Recorder } from './audit/recorder.js';
import type { Clock } from './clock.js';
import { type Denial, deny, type ErrorCode } from './errors.js';
import type { EndReason, Exchange, Follower, Later, ResponseHead, Settlement } from './exchange.js';
import type { Plan } from './forward/plan.js';
import type { TraceContext } from './forward/trace-context.js';
import type { Refusal } from './head/head.js';
import type { LiveExchange, LiveExchanges } from './live-exchanges.js';
import type { Limits } from './resolve/resource.js';
import type { Mandate } from './verify/mandate.js';

/** What an exchange needs of its gateway. */
export interface ExchangeParts {
  readonly clock: Clock;
  readonly recorder: Recorder;
  readonly live: LiveExchanges;
  plan(admission: Attached, trace: TraceContext): Plan;
  /** The trace context to send upstream. */
  trace(admission: Attached): TraceContext;
  ownHeaders(admission: Attached): string[];
  response(admission: Attached, status: number, headers: readonly string[]): ResponseHead | Denial;
  refuse(admission: Attached, denial: Denial): Refusal;
  renewed(admission: Attached): Promise<Credential | undefined>;
  finished(admission: Attached, settlement: Settlement): void;
  /** By either clock: setting the wall clock back lets no stream live longer. */
  expired(mandate: Mandate): boolean;
}

/** The gateway's own exchange: live from its making until it is settled. */
export class AdmittedExchange implements Exchange, LiveExchange {
  readonly kind = 'exchange';
  position = -1;
  readonly #admission: Attached;
  readonly #parts: ExchangeParts;
  #plan: Plan | undefined;
  #follower: Follower | undefined;
  #longLived = false;
  #settled = false;
  #ended: EndReason | undefined;
  #controller: AbortController | undefined;

  constructor(admission: Attached, parts: ExchangeParts) {
    this.#admission = admission;
    this.#parts = parts;
    this.#plan = admission.resource.upstream === undefined ? undefined : parts.plan(admission, parts.trace(admission));
    parts.live.add(this);
  }

  get requestId(): string {
    return this.#admission.requestId;
  }

  get principal(): Mandate {
    return this.#admission.mandate;
  }

  get plan(): Plan | undefined {
    return this.#plan;
  }

  get limits(): Limits {
    return this.#admission.resource.limits;
  }

  get tickMs(): number {
    return this.#follower?.tickMs ?? Number.POSITIVE_INFINITY;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ended !== undefined) this.#controller.abort(this.#ended);
    }
    return this.#controller.signal;
  }

  elapsedMs(): number {
    return this.#parts.clock.monotonic() - this.#admission.startedAt;
  }

  follow(follower: Follower): void {
    this.#follower = follower;
    // It may have been ended between its admission and now, when there was nobody to tell.
    if (this.#ended !== undefined) follower.ended(this.#ended);
    else this.#parts.live.hurry(this);
  }

  response(status: number, headers: readonly string[]): ResponseHead | Refusal {
    const head = this.#parts.response(this.#admission, status, headers);
    if (!('kind' in head)) return this.#parts.refuse(this.#admission, head);
    if (head.longLived) this.#longLived = true;
    return head;
  }

  refuse(code: ErrorCode, reason: string = code, cause?: unknown): Refusal {
    return this.#parts.refuse(this.#admission, deny(code, reason, cause === undefined ? undefined : { cause }));
  }

  ownHeaders(): string[] {
    return this.#parts.ownHeaders(this.#admission);
  }

  streams(): void {
    this.#longLived = true;
  }

  renewable(): boolean {
    return this.#admission.resource.provider.renewable;
  }

  async renew(): Promise<boolean> {
    try {
      const credential = await this.#parts.renewed(this.#admission);
      if (credential === undefined || this.#settled) return false;
      Object.assign(this.#admission, { credential });
      this.#plan = this.#parts.plan(this.#admission, this.#parts.trace(this.#admission));
      return true;
    } catch {
      // The provider could not: the upstream's own answer stands, and says why.
      return false;
    }
  }

  settle(settlement: Settlement): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#parts.live.remove(this);
    this.#parts.recorder.completed(this.#admission, settlement);
    this.#parts.finished(this.#admission, settlement);
  }

  tick(now: number): void {
    const { mandate, resource } = this.#admission;
    if (this.#longLived && resource.onExpiry === 'cut' && this.#parts.expired(mandate)) {
      return this.end('expired');
    }
    this.#follower?.tick(now);
  }

  end(reason: EndReason, later?: Later): void {
    if (this.#settled) return;
    this.#ended = reason;
    try {
      // First: a service that ends its answer when the signal aborts would end cleanly what has to be cut.
      this.#follower?.ended(reason, later);
    } finally {
      this.#controller?.abort(reason);
    }
  }
}
