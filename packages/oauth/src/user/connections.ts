import { randomUUID } from 'node:crypto';
import type { Connection, ConnectionKey, ConnectionStore, TokenKey } from '@caracal/core';
import type { TokenClient } from '../client/token-client.js';
import type { ConnectionOrigin } from '../connection-evidence.js';
import type { OAuthEventType } from '../event.js';
import { faultOf, OAuthFault } from '../oauth-fault.js';
import type { Services } from '../services.js';
import { failureAfter } from '../tokens/back-off.js';
import { jitteredDelay } from '../tokens/delay.js';
import { usability } from '../tokens/lifetime.js';
import type { TokenSet } from '../tokens/token-set.js';
import {
  type ConnectionTokens,
  connectionBinding,
  connectionTokens,
  openConnection,
  sealConnection,
} from './connection-content.js';

/** How long a connection may take to be saved after its tokens were rotated, ms, before anybody else presents the old one. */
const SAVING_MS = 15_000;
/** How long saving is tried beyond that: whoever changed it meanwhile wins. */
const KEEP_SAVING_MS = 10 * 60_000;
const FIRST_POLL_MS = 25;
const LONGEST_POLL_MS = 250;
const LONGEST_SAVE_WAIT_MS = 5_000;
const MAX_CONFLICTS = 20;

/** Reason of the fault where a stored connection opens with none of the keys. */
export const UNREADABLE = 'connection_unreadable';

/** A connection as stored, opened. */
export interface OpenConnection {
  readonly id: string;
  readonly version: string;
  readonly tokens: ConnectionTokens;
}

/** Why a refresh is wanted. */
export interface RefreshAim {
  /** A connection another process has left will do, if this says so. */
  readonly accepts: (found: ConnectionTokens) => boolean;
  readonly afterRefusal: boolean;
}

/** What {@link Connections} is made with. */
export interface ConnectionsOptions {
  readonly services: Services;
  readonly client: TokenClient;
  readonly store: ConnectionStore;
  readonly providerId: string;
  readonly origins: readonly string[];
}

/**
 * What came of disconnecting. `upstream`: `revoked`, its tokens are good for nothing; `unsupported`, it has no revocation endpoint;
 * `not_opened`, they could not be unsealed; `not_revoked_` and why it was not done. But for the first they may be good there until
 * they expire.
 */
export type Disconnection =
  | { readonly result: 'disconnected'; readonly upstream: string }
  | { readonly result: 'not_connected' };

/** The connections of one provider: read, saved, refreshed, removed. The store holds the truth, and compares and sets. */
export class Connections {
  readonly #options: ConnectionsOptions;
  #onChange: (key: ConnectionKey) => void = () => {};

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  get store(): ConnectionStore {
    return this.#options.store;
  }

  /** The connection, or `undefined`. @throws what the store throws; OAuthFault {@link UNREADABLE} where it does not open */
  async read(key: ConnectionKey): Promise<OpenConnection | undefined> {
    const stored = await this.#options.store.get(key);
    if (stored === undefined) return undefined;
    const tokens = await this.#open(key, stored);
    // The next to read it tries again.
    if (this.#isOutdated(stored)) void this.#reseal(key, stored, tokens).catch(() => {});
    return { id: stored.id, version: stored.version, tokens };
  }

  /** Who keeps what was read here is told when this process connects or disconnects: then there is nothing to wait for. */
  onChange(listener: (key: ConnectionKey) => void): void {
    this.#onChange = listener;
  }

  /** To tell of it: without tokens where it does not open. @throws what the store throws */
  async look(
    key: ConnectionKey,
  ): Promise<{ readonly id: string; readonly tokens: ConnectionTokens | undefined } | undefined> {
    const stored = await this.#options.store.get(key);
    return stored && { id: stored.id, tokens: await this.#open(key, stored).catch(() => undefined) };
  }

  /**
   * Seals a connection with the first key where another one has sealed it. `current`: that was done already, or there is none;
   * `busy`: it is being changed now.
   *
   * @throws as `read`
   */
  async reseal(key: ConnectionKey): Promise<'resealed' | 'current' | 'busy'> {
    const stored = await this.#options.store.get(key);
    if (stored === undefined || !this.#isOutdated(stored)) return 'current';
    return this.#reseal(key, stored, await this.#open(key, stored));
  }

  /**
   * Saves the tokens of somebody who has just connected, in place of whatever was there.
   *
   * @throws OAuthFault `audit_unavailable` where it cannot be recorded: nothing is saved then
   */
  async connect(
    key: ConnectionKey,
    tokens: TokenSet,
    origin: ConnectionOrigin = {},
  ): Promise<'connected' | 'reconnected'> {
    const { store, services } = this.#options;
    const { evidence } = services;
    const content = connectionTokens(tokens, { connectedAtMs: services.clock.now() });
    // Another account, perhaps: records must tell it from the one before.
    const id = `cn_${randomUUID().replaceAll('-', '').slice(0, 20)}`;
    try {
      await evidence.required('connection.made', key, { ...origin, connectionId: id, scope: tokens.scope });
    } catch (cause) {
      await this.#dropUnused(key, id, tokens);
      throw cause;
    }
    for (let tries = 0; tries < MAX_CONFLICTS; tries++) {
      const before = await store.get(key);
      const sealed = await this.#seal(key, content);
      if ((await store.put(key, before?.version, { id, sealed })) === 'conflict') continue;
      this.#onChange(key);
      const type = before === undefined ? 'connected' : 'reconnected';
      if (before !== undefined) {
        evidence.told('connection.ended', key, { ...origin, connectionId: before.id, reason: 'replaced' });
      }
      this.#tell(type, key, id);
      return type;
    }
    throw new OAuthFault('connection_contended');
  }

  /**
   * Removes the connection, then revokes its tokens upstream, where that can be done. A record that cannot be written keeps nothing
   * from being ended.
   */
  async disconnect(key: ConnectionKey, origin: ConnectionOrigin = {}): Promise<Disconnection> {
    const { store, services } = this.#options;
    for (let tries = 0; tries < MAX_CONFLICTS; tries++) {
      const stored = await store.get(key);
      if (stored === undefined) return { result: 'not_connected' };
      const tokens = await this.#open(key, stored).catch(() => undefined);
      // First out of use, then revoked: what fails to be revoked must not stay in use.
      if (!(await store.remove(key, stored.version))) continue;
      this.#onChange(key);
      // Before the upstream is asked, which may take as long as this process lives.
      const ended = { ...origin, connectionId: stored.id, reason: 'disconnected' };
      services.evidence.told('connection.ended', key, ended);
      const revoked =
        tokens === undefined
          ? this.#notRevoked(key, stored.id, 'not_opened')
          : await this.#revoke(key, stored.id, tokens);
      this.#tell('disconnected', key, stored.id, revoked);
      return { result: 'disconnected', upstream: revoked };
    }
    throw new OAuthFault('connection_contended');
  }

  /**
   * Refreshes the connection, or takes what another process has made of it meanwhile. `undefined`: there is none any more; one that is
   * `lost`: only the person can help.
   *
   * @throws OAuthFault
   */
  async refresh(key: ConnectionKey, aim: RefreshAim): Promise<OpenConnection | undefined> {
    const { services, client } = this.#options;
    const { clock, tokenCache } = services;
    const deadline = clock.monotonic() + client.settings.timeoutMs;
    const claim: TokenKey = claimKey(key);
    const owner = randomUUID();
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, LONGEST_POLL_MS)) {
      const found = await this.read(key);
      if (found === undefined || found.tokens.lost || aim.accepts(found.tokens)) return found;
      const { refreshToken, presentFromMs } = found.tokens;
      if (refreshToken === undefined) return found;
      const heldBack = presentFromMs !== undefined && clock.now() < presentFromMs;
      if (!heldBack && (await tokenCache.claimRefresh(claim, owner, this.#leaseMs()))) {
        try {
          const refreshed = await this.#present(key, found, refreshToken, aim);
          if (refreshed !== 'conflict') return refreshed;
        } finally {
          // A claim that cannot be given back ends by itself.
          await Promise.resolve(tokenCache.abandonRefresh(claim, owner)).catch(() => {});
        }
      }
      if (clock.monotonic() + pollMs >= deadline) {
        const waitMs = Math.max(0, (presentFromMs ?? 0) - clock.now());
        throw new OAuthFault('connection_refreshed_elsewhere', { retryAfterMs: Math.min(waitMs, SAVING_MS) });
      }
      await jitteredDelay(pollMs);
    }
  }

  /** Writes down that the refresh token is being presented, presents it, saves what came of it. */
  async #present(
    key: ConnectionKey,
    found: OpenConnection,
    refreshToken: string,
    aim: RefreshAim,
  ): Promise<OpenConnection | undefined | 'conflict'> {
    const { services, client } = this.#options;
    const { clock } = services;
    const marked = await this.#put(key, found, { ...found.tokens, presentFromMs: clock.now() + this.#leaseMs() });
    if (marked === 'conflict') return 'conflict';
    let refreshed: TokenSet;
    try {
      refreshed = await client.request(key.zoneId, 'refresh_token', [
        ...client.commonParameters().filter(([name]) => name !== 'scope'),
        ['refresh_token', refreshToken],
      ]);
    } catch (cause) {
      return await this.#failed(key, marked, faultOf(cause, 'connection_refresh_failed'));
    }
    const tokens = connectionTokens(refreshed, {
      ...found.tokens,
      presentFromMs: undefined,
      afterRefusal: aim.afterRefusal,
    });
    return await this.#save(key, marked, tokens);
  }

  async #failed(key: ConnectionKey, marked: OpenConnection, fault: OAuthFault): Promise<OpenConnection | 'conflict'> {
    const { clock } = this.#options.services;
    if (fault.reason === 'token_endpoint_invalid_grant') {
      // Revoked, expired, or presented before by a process that did not live to save what it got: in any case, spent.
      const lost = await this.#put(key, marked, {
        ...marked.tokens,
        refreshToken: undefined,
        presentFromMs: undefined,
        lost: true,
      });
      const reason = 'refresh_token_refused';
      if (lost !== 'conflict') {
        const facts = { initiator: 'gateway', connectionId: marked.id, reason } as const;
        this.#options.services.evidence.told('connection.lost', key, facts);
      }
      this.#tell('connection_lost', key, marked.id, reason);
      return lost;
    }
    const { untilMs } = failureAfter(undefined, fault, clock.now());
    // Best effort: without it the mark says the same for longer.
    await this.#put(key, marked, { ...marked.tokens, presentFromMs: untilMs }).catch(() => {});
    this.#tell('connection_refresh_failed', key, marked.id, fault.reason);
    throw fault;
  }

  /** Saves rotated tokens. The ones before are spent, so it does not give up while somebody could still read them. */
  async #save(
    key: ConnectionKey,
    marked: OpenConnection,
    tokens: ConnectionTokens,
  ): Promise<OpenConnection | undefined> {
    const { clock } = this.#options.services;
    const began = clock.monotonic();
    for (let waitMs = FIRST_POLL_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_SAVE_WAIT_MS)) {
      try {
        return await this.#trySaving(key, marked, tokens);
      } catch {
        if (clock.monotonic() - began > SAVING_MS) {
          // The request has waited long enough; the tokens serve this process, and are saved as soon as that can be done.
          void this.#keepSaving(key, marked, tokens); // never rejects
          return { ...marked, tokens };
        }
      }
      await jitteredDelay(waitMs);
    }
  }

  async #keepSaving(key: ConnectionKey, marked: OpenConnection, tokens: ConnectionTokens): Promise<void> {
    const { clock } = this.#options.services;
    const began = clock.monotonic();
    this.#tell('connection_refresh_failed', key, marked.id, 'connection_not_saved');
    while (clock.monotonic() - began < KEEP_SAVING_MS) {
      await jitteredDelay(LONGEST_SAVE_WAIT_MS);
      try {
        await this.#trySaving(key, marked, tokens);
        return;
      } catch {
        // The store is still down.
      }
    }
  }

  /** Answers what is stored then: these tokens, or what somebody has made of the connection meanwhile. @throws as the store does */
  async #trySaving(
    key: ConnectionKey,
    marked: OpenConnection,
    tokens: ConnectionTokens,
  ): Promise<OpenConnection | undefined> {
    let before = marked;
    for (let tries = 0; tries < MAX_CONFLICTS; tries++) {
      const saved = await this.#put(key, before, tokens);
      if (saved !== 'conflict') {
        this.#tell('connection_refreshed', key, marked.id);
        return saved;
      }
      const now = await this.read(key);
      const isSame = now?.id === marked.id && now.tokens.refreshToken === marked.tokens.refreshToken;
      if (!isSame) return await this.#superseded(key, marked.id, now, tokens);
      // Somebody has only sealed it anew: what stands there is spent.
      before = now;
    }
    throw new OAuthFault('connection_contended');
  }

  /** Somebody changed the connection while it was refreshed. */
  async #superseded(
    key: ConnectionKey,
    id: string,
    now: OpenConnection | undefined,
    tokens: ConnectionTokens,
  ): Promise<OpenConnection | undefined> {
    // Disconnected meanwhile: what was just obtained must not live on. (Connected anew, the same grant may carry the new tokens.)
    if (now === undefined) await this.#revoke(key, id, tokens);
    return now;
  }

  /** Nobody may use what was obtained. Where an account is connected it stays: some servers end every token of a grant with one. */
  async #dropUnused(key: ConnectionKey, id: string, tokens: TokenSet): Promise<void> {
    try {
      if ((await this.#options.store.get(key)) === undefined) await this.#revoke(key, id, tokens);
    } catch {
      // The store is down as well: what was obtained is forgotten here, and nobody else has it.
    }
  }

  async #revoke(
    key: ConnectionKey,
    id: string,
    { refreshToken, accessToken }: Pick<ConnectionTokens, 'refreshToken' | 'accessToken'>,
  ): Promise<string> {
    const { client, services } = this.#options;
    try {
      const revoked =
        refreshToken !== undefined
          ? await client.revoke(key.zoneId, refreshToken, 'refresh_token')
          : await client.revoke(key.zoneId, accessToken, 'access_token');
      if (revoked === 'unsupported') return this.#notRevoked(key, id, revoked);
      services.evidence.told('connection.revoked', key, { initiator: 'gateway', connectionId: id });
      return revoked;
    } catch (cause) {
      return this.#notRevoked(key, id, `not_revoked_${faultOf(cause, 'failed').reason}`);
    }
  }

  #notRevoked(key: ConnectionKey, id: string, reason: string): string {
    const facts = { initiator: 'gateway', connectionId: id, reason } as const;
    this.#options.services.evidence.told('connection.not_revoked', key, facts);
    return reason;
  }

  async #put(
    key: ConnectionKey,
    before: OpenConnection,
    tokens: ConnectionTokens,
  ): Promise<OpenConnection | 'conflict'> {
    const sealed = await this.#seal(key, tokens);
    const change = await this.#options.store.put(key, before.version, { id: before.id, sealed });
    return change === 'conflict' ? change : { id: before.id, version: change.connection.version, tokens };
  }

  async #reseal(key: ConnectionKey, stored: Connection, tokens: ConnectionTokens): Promise<'resealed' | 'busy'> {
    const { store, services } = this.#options;
    // Its refresh token is on its way to the server: whoever presents it writes next.
    if (tokens.presentFromMs !== undefined && services.clock.now() < tokens.presentFromMs) return 'busy';
    const sealed = await this.#seal(key, tokens);
    const change = await store.put(key, stored.version, { id: stored.id, sealed });
    return change === 'conflict' ? 'busy' : 'resealed';
  }

  #isOutdated({ sealed }: Connection): boolean {
    return this.#options.services.box.isOutdated(sealed);
  }

  async #open(key: ConnectionKey, { sealed }: Connection): Promise<ConnectionTokens> {
    const { services, origins } = this.#options;
    try {
      return await openConnection(services.box, sealed, connectionBinding(key, origins));
    } catch (cause) {
      throw new OAuthFault(UNREADABLE, { explanation: faultOf(cause, 'failed').reason });
    }
  }

  #seal(key: ConnectionKey, tokens: ConnectionTokens): Promise<string> {
    const { services, origins } = this.#options;
    return sealConnection(services.box, tokens, connectionBinding(key, origins));
  }

  /** As long as presenting and saving may take. */
  #leaseMs(): number {
    return this.#options.client.settings.timeoutMs + SAVING_MS;
  }

  #tell(
    type: OAuthEventType,
    { zoneId, providerId, owner }: ConnectionKey,
    connectionId: string,
    reason?: string,
  ): void {
    const { services } = this.#options;
    const time = new Date(services.clock.now()).toISOString();
    services.tell({ type, zoneId, providerId, owner, connectionId, ...(reason !== undefined && { reason }), time });
  }
}

/** When these tokens are good; for ever where nobody said when they end and nothing could renew them. */
export function usabilityOf(tokens: ConnectionTokens, assumedLifetimeMs: number): ReturnType<typeof usability> {
  const { expiresAtMs, obtainedAtMs, refreshToken } = tokens;
  if (expiresAtMs === undefined && refreshToken === undefined) {
    return { usableUntilMs: Number.POSITIVE_INFINITY, refreshAtMs: Number.POSITIVE_INFINITY };
  }
  return usability(obtainedAtMs, expiresAtMs ?? obtainedAtMs + assumedLifetimeMs);
}

function claimKey({ zoneId, providerId, owner }: ConnectionKey): TokenKey {
  const whose = owner === 'shared' ? ['shared'] : ['own', owner.issuer, owner.subject];
  return { zoneId, providerId, qualifiers: ['connection', ...whose] };
}
