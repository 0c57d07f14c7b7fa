import { type AuditRecord, Denial, EvidenceWriter, evidenceText, type RefusalCount } from '@caracal/core';
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

/** The token service's evidence: an issued mandate is recorded before it is handed out, a refusal waits for no write. */
export class Evidence {
  readonly #settings: Settings;
  readonly #writer: EvidenceWriter;

  constructor(settings: Settings) {
    this.#settings = settings;
    const { serviceId: gatewayId, sink, durability, clock, room } = settings;
    this.#writer = new EvidenceWriter({
      ...{ gatewayId, sink, durability, clock, room },
      onFault: (cause, { requestId }) =>
        settings.onFault({ requestId, error: 'temporarily_unavailable', reason: 'audit_append', cause }),
      counted: (refusals) => this.#counted(refusals),
    });
  }

  /** A new id for a request. */
  newRequestId(): string {
    return this.#writer.newId();
  }

  /** Records an issued mandate. Nobody may see the mandate before this has answered `undefined`. */
  async issued(asked: Asked, claims: MandateClaims): Promise<Denied | undefined> {
    const written = await this.#writer.require(this.#issuedRecord(asked, claims), this.#settings.portTimeoutMs);
    if (!(written instanceof Denial)) return undefined;
    const reason = written.reason === 'no_room' ? 'audit_room' : 'audit_unavailable';
    return denied('temporarily_unavailable', reason, written.members?.cause);
  }

  /** Records a refusal; above a rate, strangers' refusals are counted together. */
  denied(asked: Asked, { error, reason, status }: Denied): void {
    const now = this.#settings.clock.monotonic();
    if (asked.requester !== undefined) this.#writer.flushDue(now);
    else if (!this.#writer.admit(asked.peer ?? '', error, now)) return;
    this.#writer.tell({
      ...this.#writer.stamp('mandate.denied'),
      ...this.#about(asked),
      decision: 'denied',
      error,
      reason,
      status,
      durationMs: this.#durationMs(asked),
    });
  }

  /** Writes what is still only counted. */
  flush(): void {
    this.#writer.flush();
  }

  /** Writes what is still only counted, and leaves no timer behind. */
  close(): void {
    this.#writer.close();
  }

  #counted({ peer, error, count }: RefusalCount): AuditRecord {
    const code = error as TokenError;
    return {
      ...this.#writer.stamp('mandate.denied'),
      peer,
      decision: 'denied',
      error: code,
      reason: 'aggregated',
      count,
    };
  }

  /** One literal: runtimes make such objects many times faster than ones that are put together. */
  #issuedRecord(asked: Asked, claims: MandateClaims): AuditRecord {
    const stamp = this.#writer.stamp('mandate.issued');
    return {
      id: stamp.id,
      type: stamp.type,
      time: stamp.time,
      bootId: stamp.bootId,
      gatewayId: stamp.gatewayId,
      requestId: asked.requestId,
      clientRequestId: asked.clientRequestId,
      traceId: asked.traceId,
      peer: textOf(asked.peer),
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
      path: textOf(asked.path),
      decision: 'allowed',
      durationMs: this.#durationMs(asked),
      use: claims.use,
      targets: claims.target,
      scopes: scopesOfText(claims.scope),
      requester: asked.requester === claims.client_id ? undefined : asked.requester,
    };
  }

  // Before the application has proved who it is, a record holds nothing that was claimed.
  #about({ requestId, peer, path, requester, resource, clientRequestId, traceId }: Asked) {
    const where = { requestId, peer: textOf(peer), path: textOf(path) };
    if (requester === undefined) return where;
    const { zone, endpoints } = this.#settings;
    const joins = { clientRequestId, traceId };
    return { ...where, ...joins, zoneId: zone, issuer: endpoints.issuer, applicationId: requester, resource };
  }

  // Microseconds are as fine as the clock is.
  #durationMs({ startedAt }: Asked): number {
    return Math.round((this.#settings.clock.monotonic() - startedAt) * 1000) / 1000;
  }
}

function textOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : evidenceText(text);
}
