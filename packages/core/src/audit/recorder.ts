import type { Attached, PartlyAdmitted } from '../admission.js';
import type { Clock } from '../clock.js';
import { type ErrorCode, STATUS_OF_CODE } from '../errors.js';
import type { Settlement } from '../exchange.js';
import { createIdentifiers } from '../identifiers.js';
import { isPromise } from '../pipeline.js';
import type { AuditSink, Durability } from './audit-sink.js';
import { completedRecord, requestRecord, type Stamp, type Verdict } from './compose.js';
import type { AuditRecord, RecordType } from './record.js';
import { RefusalFlood } from './refusal-flood.js';
import { Room } from './room.js';

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
  /** `undefined` where nobody was there to be answered. */
  readonly status: number | undefined;
  readonly outcome: 'refused' | 'client_aborted';
  /** Nothing was known of the caller yet: such refusals are counted together above a rate. */
  readonly anonymous: boolean;
}

/** Writes the evidence of one gateway: room first, then records; nothing is dropped without being counted. */
export class Recorder {
  readonly #newId = createIdentifiers();
  readonly bootId: string = this.#newId();
  readonly #options: RecorderOptions;
  readonly #room: Room;
  readonly #flood = new RefusalFlood();
  /**
   * Of the end of an exchange, whose beginning is on record. In `written` it goes along with the next authorization, or waits
   * for one some milliseconds, instead of being a write of its own.
   */
  readonly #afterwards: Durability;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Records that found no room or no sink, not yet told in a record. */
  #omitted = 0;
  #closed = false;
  #timeMs = Number.NaN;
  #timeText = '';

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#room = new Room(options.room);
    this.#afterwards = options.durability === 'written' ? 'buffered' : options.durability;
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
    this.#appendRefusal(this.#stamp(type));
  }

  /**
   * Answers the admission once its record is taken, before anything goes upstream. Rejects or throws where the sink did not take it.
   * In `buffered` there is none.
   */
  authorized(admission: Attached): Attached | Promise<Attached> {
    const { durability, sink } = this.#options;
    if (durability === 'buffered') return admission;
    const record = requestRecord(this.#stamp('request.authorized'), admission, allowed(admission), undefined);
    const written = sink.append(record, durability);
    if (!isPromise(written)) {
      admission.evidence = 'authorized';
      this.#room.release(1);
      return admission;
    }
    // Its room is free when the sink has answered, not when nobody waits any longer: a sink that hangs is not fed on.
    admission.evidence = 'appending';
    return written.then(
      () => {
        this.#room.release(1);
        if (admission.evidence === 'appending') admission.evidence = 'authorized';
        else this.#refusedLate(admission);
        return admission;
      },
      (cause: unknown) => {
        this.#room.release(1);
        throw cause;
      },
    );
  }

  // The request was refused while its record was on its way: without an end that record would look like a call that ran.
  #refusedLate(admission: Attached): void {
    const facts = {
      code: 'audit_unavailable',
      reason: 'accepted_too_late',
      status: STATUS_OF_CODE.audit_unavailable,
      outcome: 'refused',
    } as const;
    const settlement = refusedSettlement({ ...facts, policies: undefined, anonymous: false });
    const durationMs = this.#options.clock.monotonic() - admission.startedAt;
    this.#appendRefusal(completedRecord(this.#stamp('request.completed'), admission, settlement, durationMs));
  }

  /** The record of an exchange's end. Uses the room that was reserved at its admission. */
  completed(admission: Attached, settlement: Settlement): void {
    const { durability, clock } = this.#options;
    const stamp = this.#stamp('request.completed');
    const durationMs = clock.monotonic() - admission.startedAt;
    const record =
      durability === 'buffered'
        ? requestRecord(stamp, admission, verdictOf(admission, settlement, durationMs), settlement)
        : completedRecord(stamp, admission, settlement, durationMs);
    // A pipeline of somebody's own may have reserved nothing.
    const reserved = admission.evidence !== 'none';
    admission.evidence = 'closed';
    this.#append(record, this.#afterwards, () => reserved && this.#room.release(1));
  }

  /** The record of a refusal: one in every mode, unless an authorized one exists, which it completes. Waits for nothing. */
  refused(admission: PartlyAdmitted, facts: RefusedFacts): void {
    const { evidence } = admission;
    if (evidence === 'authorized') return this.completed(admission as Attached, refusedSettlement(facts));
    if (evidence === 'reserved') this.#room.release(this.recordsPerRequest);
    if (evidence === 'appending') this.#room.release(1);
    admission.evidence = 'closed';
    const now = this.#options.clock.monotonic();
    if (this.#flood.due(now)) this.flush();
    if (facts.anonymous && !this.#flood.admit(admission.head.peer.address, facts.code ?? 'preflight', now)) {
      this.#flushLater();
      return;
    }
    const stamp = this.#stamp(facts.code === undefined ? 'request.completed' : 'request.denied');
    const verdict: Verdict = {
      decision: facts.code === undefined ? 'preflight' : 'denied',
      error: facts.code,
      reason: facts.reason,
      policies: facts.policies,
      status: facts.status,
      durationMs: now - admission.startedAt,
      outcome: facts.code === undefined ? undefined : facts.outcome,
    };
    this.#appendRefusal(requestRecord(stamp, admission, verdict, undefined));
  }

  /** Writes what is still only counted. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { peer, error, count } of this.#flood.take()) {
      const code = error === 'preflight' ? undefined : (error as ErrorCode);
      const stamp = this.#stamp(code === undefined ? 'request.completed' : 'request.denied');
      const decision = code === undefined ? 'preflight' : 'denied';
      this.#appendRefusal({ ...stamp, peer, decision, error: code, reason: 'aggregated', count }, count);
    }
    this.#tellOmitted();
  }

  /** Writes what is still only counted and leaves no timer behind. What is counted later is told to nobody: close it last. */
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
    this.#appendRefusal({ ...this.#stamp('records.omitted'), reason: 'no_room', count }, count);
  }

  /** `stands`: for how many refusals, so that none goes uncounted if this record finds no room either. */
  #appendRefusal(record: AuditRecord, stands = 1): void {
    if (!this.#room.reserveRefusal()) {
      this.#omitted += stands;
      this.#flushLater();
      return;
    }
    this.#append(record, this.#options.durability, () => this.#room.releaseRefusal(), stands);
  }

  #append(record: AuditRecord, durability: Durability, release: () => void, stands = 1): void {
    const failed = (cause: unknown): void => {
      release();
      this.#omitted += stands;
      this.#flushLater();
      this.#options.onFault(cause);
    };
    try {
      const written = this.#options.sink.append(record, durability);
      if (isPromise(written))
        void written.then(release, failed); // failed() counts it; nobody waits for a refusal
      else release();
    } catch (cause) {
      failed(cause);
    }
  }

  // Many records fall into one millisecond, and its text is dear.
  #time(): string {
    const now = this.#options.clock.now();
    if (now !== this.#timeMs) {
      this.#timeMs = now;
      this.#timeText = new Date(now).toISOString();
    }
    return this.#timeText;
  }

  #stamp(type: RecordType): Stamp {
    return {
      id: this.#newId(),
      type,
      time: this.#time(),
      bootId: this.bootId,
      gatewayId: this.#options.gatewayId,
    };
  }
}

function allowed({ policies }: Attached): Verdict {
  return {
    decision: 'allowed',
    error: undefined,
    reason: undefined,
    policies,
    status: undefined,
    durationMs: undefined,
    outcome: undefined,
  };
}

function verdictOf({ policies }: Attached, settlement: Settlement, durationMs: number): Verdict {
  const { error, reason, status, outcome } = settlement;
  return { decision: 'allowed', error, reason, policies, status, durationMs, outcome };
}

function refusedSettlement(facts: RefusedFacts): Settlement {
  return {
    outcome: facts.outcome,
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
