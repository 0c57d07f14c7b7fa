import type { Attached, PartlyAdmitted, Received, Unlearned } from './admission.js';
import { AdmittedExchange, type ExchangeParts } from './admitted-exchange.js';
import { CALLER_LEFT } from './attach/provider.js';
import { Recorder } from './audit/recorder.js';
import { Denial, deny } from './errors.js';
import { type Exchange, NOTHING_SENT } from './exchange.js';
import { type Explanation, explainWith } from './explain.js';
import { corsHeaders, preflightHeaders } from './forward/cors.js';
import { forwarding } from './forward/forwarding.js';
import { createTraceIds, traceContext } from './forward/trace-context.js';
import { CLOSING_TIMEOUT_MS } from './forward/websocket/relay.js';
import { type GatewayOptions, type GatewaySettings, gatewaySettings } from './gateway-options.js';
import type { Refusal, RequestHead } from './head/head.js';
import { createIdentifiers } from './identifiers.js';
import { LiveExchanges } from './live-exchanges.js';
import { isPromise, type Pipeline } from './pipeline.js';
import { refusal } from './problem.js';
import type { RequestEnd, RequestTelemetry, Telemetry } from './telemetry/telemetry.js';
import { createVerifier } from './verify/verifier.js';

/** How long exchanges under way may take to finish when the gateway closes, ms. */
export const DEFAULT_DRAIN_TIMEOUT_MS = 30_000;

/** Above what a WebSocket takes to end. */
const LAST_WORDS_MS = CLOSING_TIMEOUT_MS + 500;

/** Decides on requests. See `createGateway`. */
export interface Gateway {
  /** Decides on one request. Synchronous where nothing waits; never throws or rejects. */
  admit(head: RequestHead): Refusal | Exchange | Promise<Refusal | Exchange>;
  /** The decision and every check that led to it, without a call: nothing is spent, sent or recorded. */
  explain(head: RequestHead): Promise<Explanation>;
  /** Exchanges under way. */
  readonly liveExchanges: number;
  /**
   * Refuses what comes from now on, waits for exchanges under way, ends those that take longer, and records the end.
   * Idempotent; injected stores and sinks stay their owners' to close.
   */
  close(options?: { readonly drainTimeoutMs?: number }): Promise<void>;
}

/** Makes a gateway. @throws TypeError that names the option and the remedy */
export function createGateway(options: GatewayOptions): Gateway {
  return new CoreGateway(gatewaySettings(options));
}

/** Of a request whose caller has left before it went anywhere: no fault of the upstream's, nor of ours. */
const LEFT: RequestEnd = Object.freeze({
  status: undefined,
  code: undefined,
  settlement: Object.freeze({
    ...NOTHING_SENT,
    outcome: 'client_aborted',
    reason: CALLER_LEFT,
  }),
});

/** The request as the gateway itself carries it. */
type Tracked = Received & { readonly telemetry: RequestTelemetry | undefined };

class CoreGateway implements Gateway {
  readonly #settings: GatewaySettings;
  readonly #recorder: Recorder;
  readonly #live: LiveExchanges;
  readonly #pipeline: Pipeline<Received, Attached>;
  readonly #parts: ExchangeParts;
  readonly #unsubscribe: () => void;
  readonly #newId = createIdentifiers();
  readonly #newTraceIds = createTraceIds();
  #closing: Promise<void> | undefined;
  /** Nothing is ended, ticked or told of revocations any more. */
  #closed = false;

  constructor(settings: GatewaySettings) {
    const { clock, onFault, revocations } = settings;
    this.#settings = settings;
    this.#live = new LiveExchanges(clock.monotonic);
    this.#recorder = new Recorder({
      ...settings,
      onFault: (cause) => onFault({ requestId: undefined, code: 'audit_unavailable', reason: 'append', cause }),
    });
    const verifier = createVerifier({ ...settings, onWarning: (reason) => this.#warn(reason) });
    this.#pipeline = settings.pipeline({ ...settings, verifier, recorder: this.#recorder });
    this.#parts = {
      clock,
      live: this.#live,
      recorder: this.#recorder,
      ...forwarding(settings),
      trace: (admission) => (admission as Attached & Tracked).telemetry?.forwarding(admission) ?? admission.trace,
      refuse: (admission, denial) => this.#answer(admission, denial),
      finished: (admission, settlement) =>
        (admission as Attached & Tracked).telemetry?.finished(admission, {
          status: settlement.status,
          code: settlement.error,
          settlement,
        }),
      expired: (mandate) => verifier.expired(mandate),
    };
    this.#unsubscribe = revocations.subscribe(() => {
      this.#live.end('revoked', (exchange) => revocations.isRevoked((exchange as AdmittedExchange).principal.anchors));
    });
    this.#recorder.started();
  }

  get liveExchanges(): number {
    return this.#live.size;
  }

  admit(head: RequestHead): Refusal | Exchange | Promise<Refusal | Exchange> {
    const received = this.#receive(head, this.#settings.telemetry);
    if (this.#closing !== undefined) return this.#refuse(received, deny('shutting_down', 'draining'));
    try {
      const verdict = this.#pipeline.run(received);
      if (!isPromise(verdict)) return this.#conclude(received, verdict, false);
      return verdict.then(
        (settled) => this.#conclude(received, settled, true),
        (cause: unknown) => this.#refuse(received, deny('internal_error', 'pipeline', { cause })),
      );
    } catch (cause) {
      return this.#refuse(received, deny('internal_error', 'pipeline', { cause }));
    }
  }

  explain(head: RequestHead): Promise<Explanation> {
    return explainWith(this.#pipeline.stages, this.#receive(head, undefined));
  }

  close({ drainTimeoutMs = DEFAULT_DRAIN_TIMEOUT_MS } = {}): Promise<void> {
    this.#closing ??= this.#drain(drainTimeoutMs);
    return this.#closing;
  }

  async #drain(timeoutMs: number): Promise<void> {
    await this.#live.empty(timeoutMs);
    this.#closed = true;
    this.#live.end('shutdown', () => true);
    // A WebSocket may still finish its frame, to be told of the end behind it.
    await this.#live.empty(LAST_WORDS_MS);
    this.#live.stop();
    this.#unsubscribe();
    this.#recorder.close();
  }

  #receive(head: RequestHead, telemetry: Telemetry | undefined): Tracked {
    const { clock } = this.#settings;
    const trace = traceContext(head.headers, this.#newTraceIds);
    const measured = telemetry?.received(head, trace);
    const tracked: Tracked & Unlearned = {
      requestId: this.#newId(),
      head,
      receivedAt: clock.now(),
      startedAt: clock.monotonic(),
      trace: measured?.trace ?? trace,
      evidence: 'none',
      telemetry: measured,
      request: undefined,
      mandate: undefined,
      token: undefined,
      resource: undefined,
      path: undefined,
      mountPrefix: undefined,
      operation: undefined,
      upgrade: undefined,
      policies: undefined,
      credential: undefined,
    };
    return tracked;
  }

  #conclude(received: Tracked, verdict: Attached | Denial, waited: boolean): Refusal | Exchange {
    if (verdict instanceof Denial) return this.#refuse(received, verdict);
    try {
      const late = waited ? this.#late(verdict) : undefined;
      return late === undefined ? new AdmittedExchange(verdict, this.#parts) : this.#refuse(received, late);
    } catch (cause) {
      return this.#refuse(received, deny('internal_error', 'plan', { cause }));
    }
  }

  // Microtasks have passed since the last stage: what was revoked, or closed, in them found no exchange to end.
  #late({ mandate }: Attached): Denial | undefined {
    if (this.#closed) return deny('shutting_down', 'closed');
    return this.#settings.revocations.isRevoked(mandate.anchors) ? deny('session_revoked', 'revoked') : undefined;
  }

  #refuse(admission: Tracked & PartlyAdmitted, denial: Denial): Refusal {
    const answer = this.#preflight(admission, denial) ?? this.#answer(admission, denial);
    const left = denial.reason === CALLER_LEFT;
    this.#recorder.refused(admission, {
      code: answer.code,
      reason: denial.members?.decision?.reason ?? denial.reason,
      policies: denial.members?.decision?.policies,
      status: left ? undefined : answer.status,
      outcome: left ? 'client_aborted' : 'refused',
      anonymous: admission.mandate === undefined,
    });
    const end = left ? LEFT : { status: answer.status, code: answer.code, settlement: undefined };
    admission.telemetry?.finished(admission, end);
    return answer;
  }

  #answer(admission: PartlyAdmitted, denial: Denial): Refusal {
    const { requestId, request } = admission;
    const cause = denial.members?.cause;
    if (cause !== undefined) this.#settings.onFault({ requestId, code: denial.code, reason: denial.reason, cause });
    return refusal(denial, {
      requestId,
      corsHeaders: corsHeaders(this.#settings.corsOrigins, request?.origin),
      random: Math.random(),
    });
  }

  // A preflight carries no mandate, so it comes as far as that check and no further.
  #preflight({ requestId, request }: PartlyAdmitted, denial: Denial): Refusal | undefined {
    if (denial.code !== 'missing_token' || request?.preflight === undefined) return undefined;
    const headers = preflightHeaders(this.#settings.corsOrigins, request.origin, request.preflight);
    if (headers === undefined) return undefined;
    headers.push('X-Caracal-Request-Id', requestId);
    return { kind: 'refusal', status: 204, headers, body: '', code: undefined, requestId };
  }

  #warn(reason: string): void {
    this.#settings.onFault({ requestId: undefined, code: 'issuer_unavailable', reason, cause: undefined });
  }
}
