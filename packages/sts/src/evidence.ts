import {
  type AuditRecord,
  type Awaitable,
  ask,
  createIdentifiers,
  Denial,
  evidenceText,
  isPromise,
  type RecordType,
  RefusalFlood,
  Room,
} from '@caracal/core';
import { type Denied, denied, type TokenError } from './denied.js';
import type { MandateClaims } from './mandate/mandate-claims.js';
import { scopesOfText } from './mandate/mandate-claims.js';
import type { Settings } from './settings.js';

/** The request a record is about. */
export interface Asked {
  readonly requestId: string;
  /** Address it came from; absent for a call in this process. */
  readonly peer: string | undefined;
  /** Path of the endpoint; absent for a call in this process. */
  readonly path: string | undefined;
  /** Monotonic, ms. */
  readonly startedAt: number;
  /** The caller's own id of the request, and its trace, where it sent them. */
  readonly clientRequestId?: string | undefined;
  readonly traceId?: string | undefined;
  /** The application that asks, once it is known. */
  readonly requester?: string | undefined;
  /** The one resource it is about. */
  readonly resource?: string | undefined;
}

const FLUSH_MS = 1_000;

/** The token service's evidence: an issued mandate is recorded before it is handed out, a refusal waits for no write. */
export class Evidence {
  readonly #settings: Settings;
  readonly #newId = createIdentifiers();
  readonly #bootId: string = this.#newId();
  readonly #room: Room;
  readonly #flood = new RefusalFlood();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Refusals whose records found no room or no sink. */
  #omitted = 0;
  #closed = false;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#room = new Room(settings.room);
  }

  /** A new id for a request. */
  newRequestId(): string {
    return this.#newId();
  }

  /** Records an issued mandate. Nobody may see the mandate before this has answered `undefined`. */
  async issued(asked: Asked, claims: MandateClaims): Promise<Denied | undefined> {
    if (!this.#room.reserve(1)) return denied('temporarily_unavailable', 'audit_room');
    const record = this.#issuedRecord(asked, claims);
    const written = await ask('audit_unavailable', this.#settings.portTimeoutMs, () =>
      this.#write(record, () => this.#room.release(1)),
    );
    if (!(written instanceof Denial)) return undefined;
    return denied('temporarily_unavailable', 'audit_unavailable', written.members?.cause);
  }

  /** Records a refusal; above a rate, strangers' refusals are counted together. */
  denied(asked: Asked, { error, reason, status }: Denied): void {
    const now = this.#settings.clock.monotonic();
    if (this.#flood.due(now)) this.flush();
    if (asked.requester === undefined && !this.#flood.admit(asked.peer ?? '', error, now)) return this.#flushLater();
    this.#append({
      ...this.#stamp('mandate.denied'),
      ...this.#about(asked),
      decision: 'denied',
      error,
      reason,
      status,
      durationMs: now - asked.startedAt,
    });
  }

  /** Writes what is still only counted. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { peer, error, count } of this.#flood.take()) {
      const code = error as TokenError;
      this.#append(
        { ...this.#stamp('mandate.denied'), peer, decision: 'denied', error: code, reason: 'aggregated', count },
        count,
      );
    }
    if (this.#omitted === 0) return;
    const count = this.#omitted;
    this.#omitted = 0;
    this.#append({ ...this.#stamp('records.omitted'), reason: 'no_room', count }, count);
  }

  /** Writes what is still only counted, and leaves no timer behind. */
  close(): void {
    this.flush();
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #issuedRecord(asked: Asked, claims: MandateClaims): AuditRecord {
    return {
      ...this.#stamp('mandate.issued'),
      ...this.#about(asked),
      requester: asked.requester === claims.client_id ? undefined : asked.requester,
      zoneId: claims.zone_id,
      issuer: claims.iss,
      applicationId: claims.client_id,
      subject: claims.sub,
      subjectType: claims.sub_type,
      sessionId: claims.sid,
      rootSessionId: claims.root_sid,
      agentSessionId: claims.agent_session_id,
      jti: claims.jti,
      resource: claims.target?.length === 1 ? claims.target[0] : undefined,
      decision: 'allowed',
      durationMs: this.#settings.clock.monotonic() - asked.startedAt,
      use: claims.use,
      targets: claims.target,
      scopes: scopesOfText(claims.scope),
    };
  }

  // Before the application has proved who it is, a record holds nothing that was claimed.
  #about({ requestId, peer, path, requester, resource, clientRequestId, traceId }: Asked) {
    const where = {
      requestId,
      peer: peer === undefined ? undefined : evidenceText(peer),
      path: path === undefined ? undefined : evidenceText(path),
    };
    if (requester === undefined) return where;
    const { zone, endpoints } = this.#settings;
    const joins = { clientRequestId, traceId };
    return { ...where, ...joins, zoneId: zone, issuer: endpoints.issuer, applicationId: requester, resource };
  }

  /** `stands`: for how many refusals, so that none goes uncounted if this record finds no room either. */
  #append(record: AuditRecord, stands = 1): void {
    if (!this.#room.reserveRefusal()) {
      this.#omitted += stands;
      return this.#flushLater();
    }
    const failed = (cause: unknown): void => {
      this.#omitted += stands;
      this.#flushLater();
      const { requestId } = record;
      this.#settings.onFault({ requestId, error: 'temporarily_unavailable', reason: 'audit_append', cause });
    };
    try {
      const written = this.#write(record, () => this.#room.releaseRefusal());
      if (isPromise(written)) void written.catch(failed); // nobody waits for the record of a refusal
    } catch (cause) {
      failed(cause);
    }
  }

  /** Hands a record to the sink. Its room is taken until the sink is done with it, however long somebody waits for that. */
  #write(record: AuditRecord, release: () => void): Awaitable<void> {
    const { sink, durability } = this.#settings;
    try {
      const written = sink.append(record, durability);
      if (isPromise(written)) void written.then(release, release);
      else release();
      return written;
    } catch (cause) {
      release();
      throw cause;
    }
  }

  #flushLater(): void {
    if (!this.#closed) this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  #stamp(type: RecordType) {
    const { clock, serviceId } = this.#settings;
    const time = new Date(clock.now()).toISOString();
    return { id: this.#newId(), type, time, bootId: this.#bootId, gatewayId: serviceId };
  }
}
