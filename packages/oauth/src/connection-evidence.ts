import {
  type AuditRecord,
  CaracalError,
  type Clock,
  type ConnectionKey,
  Denial,
  type Durability,
  EvidenceWriter,
  evidenceText,
  type Initiator,
  type RefusalCount,
} from '@caracal/core';
import { OAuthFault } from './oauth-fault.js';
import type { ConnectionAuditOptions } from './services.js';

/** Reason of the fault where nothing may happen because it cannot be recorded. */
export const AUDIT_UNAVAILABLE = 'audit_unavailable';

/** Who does something about a connection, and how they came to it. */
export interface ConnectionOrigin {
  readonly initiator?: Initiator | undefined;
  /** Address of the browser. */
  readonly peer?: string | undefined;
  /** The application that met the refusal with the link, and what for. */
  readonly applicationId?: string | undefined;
  readonly resource?: string | undefined;
}

/** What a record of a connection says beside whose it is. */
export interface ConnectionFacts extends ConnectionOrigin {
  readonly connectionId?: string | undefined;
  /** Fixed text. */
  readonly reason?: string | undefined;
  /** As the upstream wrote it. */
  readonly scope?: string | undefined;
  readonly status?: number | undefined;
}

type ConnectionRecordType = Extract<AuditRecord['type'], `connection.${string}`>;

const MAX_SCOPES = 64;
const DEFAULTS = {
  durability: 'written' satisfies Durability as Durability,
  room: 1_000,
  timeoutMs: 5_000,
  gatewayId: 'gateway',
};

/** The evidence of connections: one that is made waits for its record, whatever ends or is refused waits for none. */
export class ConnectionEvidence {
  /** `undefined` where nobody wants evidence. */
  readonly #writer: EvidenceWriter | undefined;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #onFault: (cause: unknown) => void;

  constructor(options: ConnectionAuditOptions | undefined, clock: Clock) {
    const given = Object.entries(options ?? {}).filter(([, value]) => value !== undefined);
    const { sink, timeoutMs, onFault, ...rest } = { ...DEFAULTS, ...Object.fromEntries(given) } as typeof DEFAULTS &
      Partial<ConnectionAuditOptions>;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onFault = (cause) => {
      try {
        onFault?.(cause);
      } catch {
        // A listener that fails must not keep a connection from being ended.
      }
    };
    if (sink === undefined) return;
    const counted = (refusals: RefusalCount): AuditRecord => this.#counted(refusals);
    this.#writer = new EvidenceWriter({ ...rest, sink, clock, counted, onFault: this.#onFault });
  }

  /** Records what must not happen without a record. @throws OAuthFault {@link AUDIT_UNAVAILABLE} */
  async required(type: ConnectionRecordType, key: ConnectionKey, facts: ConnectionFacts): Promise<void> {
    const writer = this.#writer;
    if (writer === undefined) return;
    const written = await writer.require(this.#record(writer, type, key, facts), this.#timeoutMs);
    if (!(written instanceof Denial)) return;
    this.#onFault(written.members?.cause ?? new CaracalError(written.code, written.reason));
    throw new OAuthFault(AUDIT_UNAVAILABLE);
  }

  /** Records what has happened. Where the sink does not take it `onFault` is told; the next record that finds room and a sink counts it. */
  told(type: ConnectionRecordType, key: ConnectionKey, facts: ConnectionFacts): void {
    const writer = this.#writer;
    if (writer !== undefined) writer.tell(this.#record(writer, type, key, facts));
  }

  /** Records that somebody could not connect; above a rate such refusals are counted together. */
  denied(key: ConnectionKey, facts: ConnectionFacts & { readonly reason: string }): void {
    const isAlone = this.#writer?.admit(facts.peer ?? '', facts.reason, this.#clock.monotonic());
    if (isAlone === true) this.told('connection.denied', key, facts);
  }

  #counted({ peer, error, count }: RefusalCount): AuditRecord {
    return {
      ...this.#writer!.stamp('connection.denied'),
      peer: peer === '' ? undefined : textOf(peer),
      decision: 'denied',
      reason: evidenceText(error),
      count,
    };
  }

  #record(
    writer: EvidenceWriter,
    type: ConnectionRecordType,
    { zoneId, providerId, owner }: ConnectionKey,
    facts: ConnectionFacts,
  ): AuditRecord {
    const { initiator, peer, applicationId, resource, connectionId, reason, scope, status } = facts;
    const scopes = scope?.split(' ').filter((name) => name !== '');
    const own = owner === 'shared' ? undefined : owner;
    return {
      ...writer.stamp(type),
      peer: textOf(peer),
      zoneId: evidenceText(zoneId),
      issuer: textOf(own?.issuer),
      applicationId: textOf(applicationId),
      subject: textOf(own?.subject),
      resource: textOf(resource),
      decision: decisionOf(type),
      reason: textOf(reason),
      provider: { id: evidenceText(providerId), kind: 'oauth2_authorization_code' as const, connection: connectionId },
      status,
      scopes: scopes?.slice(0, MAX_SCOPES).map((name) => evidenceText(name)),
      initiator,
    };
  }
}

function decisionOf(type: ConnectionRecordType): AuditRecord['decision'] {
  if (type === 'connection.denied') return 'denied';
  return type === 'connection.made' || type === 'connection.invited' ? 'allowed' : undefined;
}

function textOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : evidenceText(text);
}
