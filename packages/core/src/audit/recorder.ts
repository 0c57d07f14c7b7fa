import type { Attached, PartlyAdmitted } from '../admission.js';
import type { Clock } from '../clock.js';
import { type ErrorCode, STATUS_OF_CODE } from '../errors.js';
import { NOTHING_SENT, type Settlement } from '../exchange.js';
import { isPromise } from '../pipeline.js';
import type { AuditSink, Durability } from './audit-sink.js';
import { completedRecord, requestRecord, type Verdict } from './compose.js';
import { EvidenceWriter } from './evidence-writer.js';
import type { AuditRecord } from './record.js';
import type { RefusalCount } from './refusal-flood.js';

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

/** What an answered preflight counts as among refusals. */
const PREFLIGHT = 'preflight';

/** Writes the evidence of one gateway: its start and end, and of each request what was allowed, how it ended, or why it was refused. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #writer: EvidenceWriter;
  /**
   * Of the end of an exchange, whose beginning is on record. In `written` it goes along with the next authorization, or waits
   * for one some milliseconds, instead of being a write of its own.
   */
  readonly #afterwards: Durability;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#writer = new EvidenceWriter({ ...options, counted: (refusals) => this.#counted(refusals) });
    this.#afterwards = options.durability === 'written' ? 'buffered' : options.durability;
  }

  get bootId(): string {
    return this.#writer.bootId;
  }

  /** Records an allowed request leaves: two, or one where they are buffered. */
  get recordsPerRequest(): number {
    return this.#options.durability === 'buffered' ? 1 : 2;
  }

  /** Takes room for every record this request will leave, or answers `false`. */
  reserve(admission: PartlyAdmitted): boolean {
    if (!this.#writer.reserve(this.recordsPerRequest)) return false;
    admission.evidence = 'reserved';
    return true;
  }

  /** The process has begun. */
  started(): void {
    this.#lifecycle('gateway.started');
  }

  #lifecycle(type: 'gateway.started' | 'gateway.stopped'): void {
    this.flush();
    this.#writer.tell(this.#writer.stamp(type));
  }

  /**
   * Answers the admission once its record is taken, before anything goes upstream. Rejects or throws where the sink did not take it.
   * In `buffered` there is none.
   */
  authorized(admission: Attached): Attached | Promise<Attached> {
    const { durability, sink } = this.#options;
    if (durability === 'buffered') return admission;
    const record = requestRecord(this.#writer.stamp('request.authorized'), admission, allowed(admission), undefined);
    const written = sink.append(record, durability);
    if (!isPromise(written)) {
      admission.evidence = 'authorized';
      this.#writer.release(1);
      return admission;
    }
    // Its room is free when the sink has answered, not when nobody waits any longer: a sink that hangs is not fed on.
    admission.evidence = 'appending';
    return written.then(
      () => {
        this.#writer.release(1);
        if (admission.evidence === 'appending') admission.evidence = 'authorized';
        else this.#refusedLate(admission);
        return admission;
      },
      (cause: unknown) => {
        this.#writer.release(1);
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
    this.#writer.tell(completedRecord(this.#writer.stamp('request.completed'), admission, settlement, durationMs));
  }

  /** The record of an exchange's end. Uses the room that was reserved at its admission. */
  completed(admission: Attached, settlement: Settlement): void {
    const { durability, clock } = this.#options;
    const stamp = this.#writer.stamp('request.completed');
    const durationMs = clock.monotonic() - admission.startedAt;
    const record =
      durability === 'buffered'
        ? requestRecord(stamp, admission, verdictOf(admission, settlement, durationMs), settlement)
        : completedRecord(stamp, admission, settlement, durationMs);
    // A pipeline of somebody's own may have reserved nothing.
    const reserved = admission.evidence !== 'none';
    admission.evidence = 'closed';
    this.#writer.write(record, this.#afterwards, reserved ? this.#releaseOne : undefined);
  }

  /** The record of a refusal: one in every mode, unless an authorized one exists, which it completes. Waits for nothing. */
  refused(admission: PartlyAdmitted, facts: RefusedFacts): void {
    const { evidence } = admission;
    if (evidence === 'authorized') return this.completed(admission as Attached, refusedSettlement(facts));
    if (evidence === 'reserved') this.#writer.release(this.recordsPerRequest);
    if (evidence === 'appending') this.#writer.release(1);
    admission.evidence = 'closed';
    const now = this.#options.clock.monotonic();
    if (!facts.anonymous) this.#writer.flushDue(now);
    else if (!this.#writer.admit(admission.head.peer.address, facts.code ?? PREFLIGHT, now)) return;
    const stamp = this.#writer.stamp(facts.code === undefined ? 'request.completed' : 'request.denied');
    const verdict: Verdict = {
      decision: facts.code === undefined ? 'preflight' : 'denied',
      error: facts.code,
      reason: facts.reason,
      policies: facts.policies,
      status: facts.status,
      durationMs: now - admission.startedAt,
      outcome: facts.code === undefined ? undefined : facts.outcome,
    };
    this.#writer.tell(requestRecord(stamp, admission, verdict, undefined));
  }

  /** Writes what is still only counted. */
  flush(): void {
    this.#writer.flush();
  }

  /** Writes what is still only counted and leaves no timer behind. What is counted later is told to nobody: close it last. */
  close(): void {
    this.#lifecycle('gateway.stopped');
    this.#writer.close();
  }

  readonly #releaseOne = (): void => this.#writer.release(1);

  #counted({ peer, error, count }: RefusalCount): AuditRecord {
    const isPreflight = error === PREFLIGHT;
    return {
      ...this.#writer.stamp(isPreflight ? 'request.completed' : 'request.denied'),
      peer,
      decision: isPreflight ? 'preflight' : 'denied',
      error: isPreflight ? undefined : (error as ErrorCode),
      reason: 'aggregated',
      count,
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

function refusedSettlement({ outcome, status, code: error, reason }: RefusedFacts): Settlement {
  return { ...NOTHING_SENT, outcome, status, error, reason };
}
