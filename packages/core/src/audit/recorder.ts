import { uuidv7 } from 'uuidv7';
import type { Attached, PartlyAdmitted } from '../admission.js';
import type { Clock } from '../clock.js';
import type { ErrorCode } from '../errors.js';
import type { Settlement } from '../exchange.js';
import { isPromise } from '../pipeline.js';
import type { AuditSink, Durability } from './audit-sink.js';
import { claimsOf, factsOf } from './facts.js';
import type { AuditRecord, RecordType } from './record.js';
import { RefusalFlood } from './refusal-flood.js';
import { Room } from './room.js';
import { evidenceText } from './text.js';

/** What a gateway's evidence is made with. */
export interface RecorderOptions {
  readonly sink: AuditSink;
  readonly durability: Durability;
  readonly gatewayId: string;
  readonly clock: Clock;
  /** Records that may be on their way to the sink at once. */
  readonly room: number;
  /** Told of a record the sink did not take. */
  readonly onFault: (cause: unknown) => void;
}

/** What a refusal's record says beside the request. `code` is `undefined` for an answered preflight. */
export interface RefusedFacts {
  readonly code: ErrorCode | undefined;
  readonly reason: string | undefined;
  /** Determining policies of the authorizers. */
  readonly policies: readonly string[] | undefined;
  readonly status: number;
  /** Nothing was known of the caller yet: such refusals are counted together above a rate. */
  readonly anonymous: boolean;
}

const MAX_POLICIES = 32;

/** Writes the evidence of one gateway: room first, then records; nothing is dropped without being counted. */
export class Recorder {
  readonly bootId: string = uuidv7();
  readonly #options: RecorderOptions;
  readonly #room: Room;
  readonly #flood = new RefusalFlood();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Records that found no room or no sink, not yet told in a record. */
  #omitted = 0;
  #closed = false;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#room = new Room(options.room);
  }

  /** Records an allowed request leaves: two, or one where they are buffered. */
  get recordsPerRequest(): number {
    return this.#options.durability === 'buffered' ? 1 : 2;
  }

  /** Takes room for every record this request will leave, or answers `false`. */
  reserve(admission: PartlyAdmitted): boolean {
    if (!this.#room.reserve(this.recordsPerRequest)) return false;
    admission.evidence = 'reserved';
    return true;
  }

  /** The process has begun. */
  started(): void {
    this.#lifecycle('gateway.started');
  }

  #lifecycle(type: 'gateway.started' | 'gateway.stopped'): void {
    this.flush();
    this.#appendRefusal(this.#record(type, {}));
  }

  /**
   * The record of an allowed request, before anything goes upstream. Rejects or throws where the sink did not take it.
   * In `buffered` there is none.
   */
  authorized(admission: Attached): void | Promise<void> {
    const { durability, sink } = this.#options;
    if (durability === 'buffered') return;
    const record = this.#record('request.authorized', {
      ...factsOf(admission),
      ...claimsOf(admission.mandate),
      decision: 'allowed',
      policies: admission.policies.length > 0 ? admission.policies : undefined,
    });
    const accepted = (): void => {
      if (admission.evidence !== 'reserved') return; // it was too late, and the request has been refused meanwhile
      admission.evidence = 'authorized';
      this.#room.release(1);
    };
    const written = sink.append(record, durability);
    if (isPromise(written)) return written.then(accepted);
    accepted();
  }

  /** The record of an exchange's end. Uses the room that was reserved at its admission. */
  completed(admission: Attached, settlement: Settlement): void {
    const slim = this.#options.durability !== 'buffered';
    const { upstream } = admission.resource;
    const record = this.#record('request.completed', {
      ...(slim ? { requestId: admission.requestId } : { ...factsOf(admission), ...claimsOf(admission.mandate) }),
      decision: 'allowed',
      error: settlement.error,
      reason: settlement.reason === undefined ? undefined : evidenceText(settlement.reason),
      upstream: upstream && { host: upstream.host, status: settlement.upstreamStatus },
      status: settlement.status,
      requestBytes: settlement.requestBytes,
      responseBytes: settlement.responseBytes,
      durationMs: this.#options.clock.monotonic() - admission.startedAt,
      firstByteMs: settlement.firstByteMs,
      attempts: settlement.attempts,
      outcome: settlement.outcome,
    });
    admission.evidence = 'closed';
    this.#append(record, () => this.#room.release(1));
  }

  /** The record of a refusal: one in every mode, unless an authorized one exists, which it completes. Waits for nothing. */
  refused(admission: PartlyAdmitted, facts: RefusedFacts): void {
    const { evidence } = admission;
    if (evidence === 'authorized') return this.completed(admission as Attached, refusedSettlement(facts));
    if (evidence === 'reserved') this.#room.release(this.recordsPerRequest);
    admission.evidence = 'closed';
    const now = this.#options.clock.monotonic();
    if (this.#flood.due(now)) this.flush();
    if (facts.anonymous && !this.#flood.admit(admission.head.peer.address, facts.code ?? 'preflight', now)) {
      this.#flushLater();
      return;
    }
    this.#appendRefusal(
      this.#record(facts.code === undefined ? 'request.completed' : 'request.denied', {
        ...factsOf(admission),
        ...(admission.mandate === undefined ? undefined : claimsOf(admission.mandate)),
        decision: facts.code === undefined ? 'preflight' : 'denied',
        error: facts.code,
        reason: facts.reason === undefined ? undefined : evidenceText(facts.reason),
        policies: facts.policies?.slice(0, MAX_POLICIES).map((policy) => evidenceText(policy)),
        status: facts.status,
        durationMs: now - admission.startedAt,
        outcome: facts.code === undefined ? undefined : 'refused',
      }),
    );
  }

  /** Writes what is still only counted. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { peer, error, count } of this.#flood.take()) {
      this.#appendRefusal(
        this.#record('request.denied', {
          peer,
          decision: 'denied',
          error: error === 'preflight' ? undefined : (error as ErrorCode),
          reason: 'aggregated',
          count,
        }),
        count,
      );
    }
    this.#tellOmitted();
  }

  /** Writes what is still only counted and leaves no timer behind. */
  close(): void {
    this.#lifecycle('gateway.stopped');
    clearTimeout(this.#timer);
    this.#closed = true;
  }

  #flushLater(): void {
    if (!this.#closed) this.#timer ??= setTimeout(() => this.flush(), 1000);
  }

  #tellOmitted(): void {
    if (this.#omitted === 0) return;
    const count = this.#omitted;
    this.#omitted = 0;
    this.#appendRefusal(this.#record('request.denied', { decision: 'denied', reason: 'no_room', count }), count);
  }

  /** `stands`: for how many refusals, so that none goes uncounted if this record finds no room either. */
  #appendRefusal(record: AuditRecord, stands = 1): void {
    if (!this.#room.reserveRefusal()) {
      this.#omitted += stands;
      this.#flushLater();
      return;
    }
    this.#append(record, () => this.#room.releaseRefusal(), stands);
  }

  #append(record: AuditRecord, release: () => void, stands = 1): void {
    const failed = (cause: unknown): void => {
      release();
      this.#omitted += stands;
      this.#flushLater();
      this.#options.onFault(cause);
    };
    try {
      const written = this.#options.sink.append(record, this.#options.durability);
      if (isPromise(written))
        void written.then(release, failed); // failed() counts it; nobody waits for a refusal
      else release();
    } catch (cause) {
      failed(cause);
    }
  }

  #record(type: RecordType, facts: Partial<AuditRecord>): AuditRecord {
    return {
      id: uuidv7(),
      type,
      time: new Date(this.#options.clock.now()).toISOString(),
      bootId: this.bootId,
      gatewayId: this.#options.gatewayId,
      ...facts,
    };
  }
}

function refusedSettlement(facts: RefusedFacts): Settlement {
  return {
    outcome: 'refused',
    status: facts.status,
    upstreamStatus: undefined,
    requestBytes: 0,
    responseBytes: 0,
    firstByteMs: undefined,
    attempts: 0,
    error: facts.code,
    reason: facts.reason,
  };
}
