import type { Outcome } from '../audit/record.js';
import type { ErrorCode } from '../errors.js';
import {
  type EndReason,
  type Exchange,
  type Follower,
  type Later,
  NOTHING_SENT,
  type ResponseHead,
} from '../exchange.js';
import type { Refusal } from '../head/head.js';
import type { WebSocketOffer } from '../head/websocket-offer.js';
import type { Limits } from '../resolve/resource.js';
import { canSendAgain, failedAnswer } from './attempt.js';
import { type Caller, canSwitch, type Driven, type UpgradeCaller } from './caller.js';
import type { Channel } from './channel.js';
import { ENDINGS } from './endings.js';
import { HeldAnswer } from './held-answer.js';
import type { Plan } from './plan.js';
import type { Dispatched, Transport, TransportFailure, TransportHandler } from './transport.js';
import { acceptOf, switchFault } from './websocket/handshake.js';
import { Relay } from './websocket/relay.js';

/** Interim responses an upstream may send before its answer. */
export const MAX_INTERIM_RESPONSES = 16;

/**
 * Carries an admitted exchange to its end: attempts, deadlines, limits, cuts, one renewal, and settling exactly once.
 * The adapter answers the caller through `caller` and tells what becomes of it through the returned `Driven`; a WebSocket
 * needs an `UpgradeCaller`, and is refused where there is none.
 */
export function drive<Body>(
  exchange: Exchange,
  transport: Transport<Body>,
  caller: Caller<Body> | UpgradeCaller<Body>,
): Driven {
  const { plan } = exchange;
  if (plan === undefined) return refused(exchange, caller, 'resource_not_permitted', 'no_upstream');
  if (plan.upgrade !== undefined && !canSwitch(caller)) {
    return refused(exchange, caller, 'upgrade_not_permitted', 'upgrade_unsupported');
  }
  const driven = new Drive(exchange, plan.limits, transport, caller);
  driven.begin();
  return driven;
}

function refused(exchange: Exchange, caller: Caller, code: ErrorCode, reason: string): Driven {
  const refusal = exchange.refuse(code, reason);
  caller.refuse(refusal);
  exchange.settle({ ...NOTHING_SENT, outcome: 'refused', status: refusal.status, error: refusal.code, reason });
  return SETTLED;
}

const SETTLED: Driven = { ready: () => {}, gone: () => {} };

/**
 * `sending`: the request is on its way up. `waiting`: all of it was sent. `answering`: the caller has the head. `switched`:
 * the exchange is a WebSocket, and a relay follows it to its end.
 */
type Phase = 'sending' | 'waiting' | 'answering' | 'switched' | 'settled';

class Drive<Body> implements TransportHandler, Driven, Follower {
  readonly #exchange: Exchange;
  readonly #limits: Limits;
  readonly #transport: Transport<Body>;
  readonly #caller: Caller<Body>;

  #phase: Phase = 'sending';
  #attempt: Dispatched | undefined;
  #attempts = 0;
  #started = false;
  #reused = false;
  #interims = 0;
  #renewed = false;
  #held: HeldAnswer | undefined;

  #status: number | undefined;
  #upstreamStatus: number | undefined;
  #firstByteMs: number | undefined;
  #requestBytes = 0;
  #responseBytes = 0;
  #longLived = false;

  /** Something moved since the last tick. */
  #progressed = true;
  #progressAt = 0;
  /** The caller was last seen taking nothing more. */
  #callerBlocks = false;

  constructor(exchange: Exchange, limits: Limits, transport: Transport<Body>, caller: Caller<Body>) {
    this.#exchange = exchange;
    this.#limits = limits;
    this.#transport = transport;
    this.#caller = caller;
  }

  /** The shortest deadline in four, so that none is missed by more than a quarter. */
  get tickMs(): number {
    const { headersTimeoutMs, idleTimeoutMs, streamIdleTimeoutMs } = this.#limits;
    return Math.min(headersTimeoutMs, idleTimeoutMs, streamIdleTimeoutMs) / 4;
  }

  begin(): void {
    this.#exchange.follow(this);
    if (this.#phase !== 'settled') this.#send();
  }

  #send(): void {
    this.#attempts += 1;
    this.#started = false;
    this.#reused = false;
    this.#interims = 0;
    this.#phase = 'sending';
    this.#progressed = true;
    this.#attempt = this.#transport.dispatch(this.#exchange.plan as Plan, this.#caller.body, this);
  }

  // --- what the transport tells

  onStart(reused: boolean): void {
    this.#started = true;
    this.#reused = reused;
    this.#progressed = true;
  }

  onBodyBytes(count: number): void {
    this.#requestBytes += count;
    this.#progressed = true;
    if (this.#requestBytes > this.#limits.maxBodyBytes) this.#fail('payload_too_large', 'streamed_length', 'refused');
  }

  onSent(): void {
    if (this.#phase === 'sending') this.#phase = 'waiting';
    this.#progressed = true;
  }

  onInterim(status: number, headers: string[]): void {
    this.#progressed = true;
    this.#interims += 1;
    if (this.#interims > MAX_INTERIM_RESPONSES)
      return this.#fail('upstream_invalid', 'interim_responses', 'upstream_error');
    const head = this.#exchange.response(status, headers);
    if (head.kind === 'response') this.#caller.interim(status, head.headers);
  }

  onHead(status: number, headers: string[]): void {
    this.#progressed = true;
    this.#upstreamStatus = status;
    if (status === 401 && !this.#renewed && this.#exchange.renewable()) return this.#renew(status, headers);
    this.#answer(status, headers);
  }

  onSwitch(headers: string[], upstream: Channel): void {
    this.#progressed = true;
    this.#upstreamStatus = 101;
    const { upgrade } = this.#exchange.plan as Plan;
    if (upgrade === undefined) return this.#rejectSwitch(upstream, 'switch_unasked');
    void acceptOf(upgrade.key).then(
      (accept) => this.#switch(headers, upstream, upgrade, accept),
      () => this.#rejectSwitch(upstream, 'switch_accept'),
    );
  }

  onChunk(chunk: Uint8Array): boolean {
    this.#progressed = true;
    if (this.#held !== undefined) return this.#held.keep(chunk);
    this.#responseBytes += chunk.length;
    const ready = this.#caller.write(chunk);
    this.#callerBlocks = !ready;
    return ready;
  }

  onEnd(): void {
    if (this.#held !== undefined) {
      this.#held.ended = true;
      return;
    }
    if (this.#phase === 'settled') return;
    this.#caller.end();
    this.#settle('executed');
  }

  onFailure(failure: TransportFailure): void {
    if (this.#held !== undefined) {
      this.#held.failure = failure;
      return;
    }
    if (this.#phase === 'settled') return;
    if (this.#phase === 'answering') {
      this.#caller.destroy();
      return this.#settle(failure.kind === 'body' ? 'client_aborted' : 'upstream_aborted', undefined, failure.kind);
    }
    const attempt = {
      attempts: this.#attempts,
      started: this.#started,
      reused: this.#reused,
      interims: this.#interims,
    };
    if (canSendAgain(failure.kind, attempt, this.#exchange.plan as Plan)) return this.#send();
    const { code, outcome } = failedAnswer(failure.kind);
    if (code !== undefined) return this.#fail(code, failure.kind, outcome);
    this.#caller.destroy();
    this.#settle(outcome, undefined, failure.kind);
  }

  // --- what the adapter tells

  ready(): void {
    this.#callerBlocks = false;
    this.#progressed = true;
    if (this.#phase === 'answering') this.#attempt?.resume();
  }

  gone(): void {
    // A WebSocket's caller is its channel's affair.
    if (this.#phase === 'settled' || this.#phase === 'switched') return;
    this.#attempt?.abort();
    this.#settle('client_aborted');
  }

  // --- what the gateway tells

  ended(reason: EndReason, later: Later = (rest) => rest()): void {
    if (this.#phase === 'settled') return;
    const { code, outcome } = ENDINGS[reason];
    if (this.#phase !== 'answering') return this.#fail(code, reason, outcome);
    this.#phase = 'settled';
    try {
      this.#caller.destroy();
    } finally {
      later(() => {
        this.#attempt?.abort();
        this.#settle(outcome, undefined, reason);
      });
    }
  }

  tick(now: number): void {
    if (this.#progressed) {
      this.#progressed = false;
      this.#progressAt = now;
      return;
    }
    const idleMs = now - this.#progressAt;
    if (this.#phase === 'sending' && this.#started) {
      if (idleMs >= this.#limits.idleTimeoutMs) this.#fail('upstream_timeout', 'upload_idle', 'timeout');
    } else if (this.#phase === 'waiting') {
      if (idleMs >= this.#limits.headersTimeoutMs) this.#fail('upstream_timeout', 'headers', 'timeout');
    } else if (this.#phase === 'answering') {
      const limitMs = this.#longLived ? this.#limits.streamIdleTimeoutMs : this.#limits.idleTimeoutMs;
      if (idleMs < limitMs) return;
      this.#attempt?.abort();
      this.#caller.destroy();
      this.#settle(this.#callerBlocks ? 'client_aborted' : 'timeout', undefined, 'idle');
    }
  }

  // --- transitions

  #renew(status: number, headers: string[]): void {
    this.#renewed = true;
    const held = new HeldAnswer(status, headers);
    this.#held = held;
    // Once a byte of the body has been taken it cannot be sent a second time; the credential is still renewed, for the next.
    const repeatable = this.#caller.body === null;
    if (!repeatable) {
      this.#release(held);
      void this.#exchange.renew(); // never rejects; only later requests profit
      return;
    }
    void this.#exchange.renew().then((renewed) => {
      if (this.#phase === 'settled') return;
      if (!renewed) return this.#release(held);
      this.#attempt?.abort();
      this.#held = undefined;
      this.#send();
    });
  }

  /** The upstream's own 401 goes to the caller after all. */
  #release(held: HeldAnswer): void {
    this.#held = undefined;
    this.#answer(held.status, held.headers);
    if (held.chunk !== undefined && this.#phase === 'answering') {
      if (this.onChunk(held.chunk)) this.#attempt?.resume();
    }
    if (held.ended) this.onEnd();
    else if (held.failure !== undefined) this.onFailure(held.failure);
  }

  #answer(status: number, headers: readonly string[]): void {
    const head = this.#exchange.response(status, headers);
    if (head.kind === 'refusal') {
      this.#attempt?.abort();
      return this.#refuse(head, 'upstream_error', 'redirect');
    }
    this.#firstByteMs = this.#exchange.elapsedMs();
    this.#respond(head);
  }

  #respond(head: ResponseHead): void {
    try {
      this.#caller.respond(head.status, head.headers);
    } catch {
      // The runtime will not write a header the upstream sent (a control character, say): that answer is not valid HTTP.
      return this.#fail('upstream_invalid', 'unwritable_headers', 'upstream_error');
    }
    this.#status = head.status;
    this.#longLived = head.longLived;
    this.#phase = 'answering';
  }

  #switch(headers: string[], upstream: Channel, offer: WebSocketOffer, accept: string): void {
    if (this.#phase === 'settled') return upstream.destroy();
    const fault = switchFault(headers, offer, accept);
    if (fault !== undefined) return this.#rejectSwitch(upstream, fault);
    const head = this.#exchange.response(101, headers);
    if (head.kind === 'refusal') return this.#rejectSwitch(upstream, 'switch_refused');
    this.#firstByteMs = this.#exchange.elapsedMs();
    const caller = this.#switchCaller(head);
    if (caller === undefined) return this.#rejectSwitch(upstream, 'unwritable_headers');
    this.#status = 101;
    this.#phase = 'switched';
    const relay = new Relay(caller, upstream, {
      streamIdleTimeoutMs: this.#limits.streamIdleTimeoutMs,
      onEnd: ({ outcome, reason, requestBytes, responseBytes }) => {
        this.#requestBytes = requestBytes;
        this.#responseBytes = responseBytes;
        this.#settle(outcome, undefined, reason);
      },
    });
    this.#exchange.follow(relay);
    relay.begin();
  }

  /** The caller's connection, once it has been told; `undefined` where the runtime will not write a header. */
  #switchCaller({ headers }: ResponseHead): Channel | undefined {
    try {
      return (this.#caller as UpgradeCaller<Body>).switchProtocols([
        ...['Upgrade', 'websocket', 'Connection', 'Upgrade'],
        ...headers,
      ]);
    } catch {
      // As in #respond.
      return undefined;
    }
  }

  #rejectSwitch(upstream: Channel, reason: string): void {
    upstream.destroy();
    if (this.#phase !== 'settled') this.#fail('upstream_invalid', reason, 'upstream_error');
  }

  #fail(code: ErrorCode, reason: string, outcome: Outcome): void {
    this.#attempt?.abort();
    if (this.#phase === 'answering') {
      // The caller has had a head: all that is left is to break off, so that it cannot take this for the end.
      this.#caller.destroy();
      return this.#settle(outcome, code, reason);
    }
    this.#refuse(this.#exchange.refuse(code, reason), outcome, reason);
  }

  #refuse(refusal: Refusal, outcome: Outcome, reason: string): void {
    this.#status = refusal.status;
    this.#caller.refuse(refusal);
    this.#settle(outcome, refusal.code, reason);
  }

  #settle(outcome: Outcome, error?: ErrorCode, reason?: string): void {
    this.#phase = 'settled';
    this.#held = undefined;
    this.#exchange.settle({
      outcome,
      status: this.#status,
      upstreamStatus: this.#upstreamStatus,
      requestBytes: this.#requestBytes,
      responseBytes: this.#responseBytes,
      firstByteMs: this.#firstByteMs,
      attempts: this.#attempts,
      error,
      reason,
    });
  }
}
