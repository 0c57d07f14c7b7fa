import {
  type AuditRecord,
  ask,
  type Clock,
  type ConnectionKey,
  createIdentifiers,
  Denial,
  type Durability,
  evidenceText,
  type Initiator,
  isPromise,
  RefusalFlood,
  Room,
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
const FLUSH_MS = 1_000;
const DEFAULTS = {
  durability: 'written' satisfies Durability as Durability,
  room: 1_000,
  timeoutMs: 5_000,
  gatewayId: 'gateway',
};

/** The evidence of connections: one that is made waits for its record, whatever ends or is refused waits for none. */
export class ConnectionEvidence {
  readonly #options: (typeof DEFAULTS & ConnectionAuditOptions) | undefined;
  readonly #clock: Clock;
  readonly #newId = createIdentifiers();
  readonly #bootId: string = this.#newId();
  readonly #room: Room;
  readonly #flood = new RefusalFlood();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Records that found no room or no sink. */
  #omitted = 0;

  constructor(options: ConnectionAuditOptions | undefined, clock: Clock) {
    const given = Object.entries(options ?? {}).filter(([, value]) => value !== undefined);
    this.#options = options && { ...DEFAULTS, ...(Object.fromEntries(given) as unknown as ConnectionAuditOptions) };
    this.#clock = clock;
    this.#room = new Room(this.#options?.room ?? DEFAULTS.room);
  }

  /** Records what must not happen without a record. @throws OAuthFault {@link AUDIT_UNAVAILABLE} */
  async required(type: ConnectionRecordType, key: ConnectionKey, facts: ConnectionFacts): Promise<void> {
    const options = this.#options;
    if (options === undefined) return;
    if (!this.#room.reserve(1)) throw new OAuthFault(AUDIT_UNAVAILABLE);
    const record = this.#record(type, key, facts);
    const written = await ask('audit_unavailable', options.timeoutMs, () =>
      this.#write(record, () => this.#room.release(1)),
    );
    if (!(written instanceof Denial)) return;
    this.#tellFault(written.members?.cause);
    throw new OAuthFault(AUDIT_UNAVAILABLE);
  }

  /** Records what has happened. Where that fails `onFault` is told, and the next record that finds room counts it. */
  told(type: ConnectionRecordType, key: ConnectionKey, facts: ConnectionFacts): void {
    if (this.#options !== undefined) this.#append(this.#record(type, key, facts));
  }

  /** Records that somebody could not connect; above a rate such refusals are counted together. */
  denied(key: ConnectionKey, facts: ConnectionFacts & { readonly reason: string }): void {
    if (this.#options === undefined) return;
    const now = this.#clock.monotonic();
    if (this.#flood.due(now)) this.#flush();
    if (this.#flood.admit(facts.peer ?? '', facts.reason, now)) this.told('connection.denied', key, facts);
    else this.#flushLater();
  }

  #record(type: ConnectionRecordType, { zoneId, providerId, owner }: ConnectionKey, facts: ConnectionFacts) {
    const { initiator, peer, applicationId, resource, connectionId, reason, scope, status } = facts;
    const scopes = scope?.split(' ').filter((name) => name !== '');
    const own = owner === 'shared' ? undefined : owner;
    return {
      ...this.#stamp(type),
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

  #append(record: AuditRecord, stands = 1): void {
    if (!this.#room.reserveRefusal()) return this.#failed(new RangeError('no room'), stands);
    try {
      const written = this.#write(record, () => this.#room.releaseRefusal());
      if (isPromise(written)) void written.catch((cause: unknown) => this.#failed(cause, stands)); // nobody waits for it
    } catch (cause) {
      this.#failed(cause, stands);
    }
  }

  /** Room is taken until the sink is done with the record, however long somebody waits for that. */
  #write(record: AuditRecord, release: () => void): void | Promise<void> {
    const { sink, durability } = this.#options!;
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

  #failed(cause: unknown, stands = 1): void {
    this.#omitted += stands;
    this.#flushLater();
    this.#tellFault(cause);
  }

  #tellFault(cause: unknown): void {
    try {
      this.#options?.onFault?.(cause);
    } catch {
      // A listener that fails must not keep a connection from being ended.
    }
  }

  /** Writes what is still only counted. */
  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { peer, error, count } of this.#flood.take()) {
      const who = { peer: peer === '' ? undefined : textOf(peer), decision: 'denied' as const };
      this.#append({ ...this.#stamp('connection.denied'), ...who, reason: evidenceText(error), count }, count);
    }
    if (this.#omitted === 0) return;
    const count = this.#omitted;
    this.#omitted = 0;
    this.#append({ ...this.#stamp('records.omitted'), reason: 'no_room', count }, count);
  }

  // Keeps no process alive: what it counts is told while there is one.
  #flushLater(): void {
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref();
  }

  #stamp<Type extends AuditRecord['type']>(type: Type) {
    const time = new Date(this.#clock.now()).toISOString();
    return { id: this.#newId(), type, time, bootId: this.#bootId, gatewayId: this.#options!.gatewayId };
  }
}

function decisionOf(type: ConnectionRecordType): AuditRecord['decision'] {
  if (type === 'connection.denied') return 'denied';
  return type === 'connection.made' || type === 'connection.invited' ? 'allowed' : undefined;
}

function textOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : evidenceText(text);
}
