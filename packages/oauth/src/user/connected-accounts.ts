import {
  type Awaitable,
  type ConnectionKey,
  type Credential,
  type CredentialRequest,
  compositeKey,
  Denial,
  deny,
  headerCredential,
  type Presence,
} from '@caracal/core';
import { LRUCache } from 'lru-cache';
import type { ConnectLinks } from '../connect/links.js';
import { faultOf, type OAuthFault } from '../oauth-fault.js';
import type { Services } from '../services.js';
import { type Failure, failureAfter } from '../tokens/back-off.js';
import { RENEWAL_PAUSE_MS } from '../tokens/shared-tokens.js';
import { deniedBy, Waiting } from '../tokens/waiting.js';
import type { ConnectableProvider } from './connectable-provider.js';
import { type OpenConnection, type RefreshAim, UNREADABLE, usabilityOf } from './connections.js';

/** A connection held here is looked up again after so long, ms: somebody may have disconnected it elsewhere. */
const RECHECK_MS = 5_000;
/** That a subject has no connection of its own is believed for so long, ms, where a shared one serves it meanwhile. */
const RECHECK_ABSENCE_MS = 1_000;
const MAX_ENTRIES = 10_000;

/** What is known here of one owner's connection. */
class Entry {
  /** `undefined`: there is none. */
  connection: OpenConnection | undefined;
  /** There is one, and it opens with none of the keys. */
  unreadable = false;
  credential: Credential | undefined;
  usableUntilMs = 0;
  refreshAtMs = 0;
  /** Monotonic, ms: when the store was asked. */
  checkedAt = Number.NEGATIVE_INFINITY;
  working: Promise<void> | undefined;
  failure: Failure | undefined;
  readonly waiting = new Waiting();
}

/** The credentials of the accounts people have connected to one provider, as this process knows them. */
export class ConnectedAccounts {
  readonly #provider: ConnectableProvider;
  readonly #services: Services;
  readonly #links: ConnectLinks;
  readonly #headerName: string;
  readonly #scheme: string;
  readonly #entries = new LRUCache<string, Entry>({ max: MAX_ENTRIES });
  /** Whose credential it is, for the renewal. */
  readonly #owners = new WeakMap<Credential, ConnectionKey>();

  constructor(
    provider: ConnectableProvider,
    services: Services,
    links: ConnectLinks,
    headerName: string,
    scheme: string,
  ) {
    this.#provider = provider;
    this.#services = services;
    this.#links = links;
    this.#headerName = headerName;
    this.#scheme = scheme;
    // The entry as a whole: a look-up that is under way must not bring back what it has read before.
    provider.connections.onChange((key) => this.#entries.delete(ownerText(key)));
  }

  attach(request: CredentialRequest): Awaitable<Credential | Denial> {
    const own = this.#ownKey(request);
    const held = this.#heldFor(own);
    if (held !== undefined && held !== 'none') return held;
    if (held === 'none' && this.#provider.shared) {
      const shared = this.#heldFor(sharedKey(own));
      if (shared !== undefined && shared !== 'none') return shared;
    }
    return this.#attach(request, own);
  }

  async renew(request: CredentialRequest, refused: Credential): Promise<Credential | Denial> {
    const key = this.#owners.get(refused) ?? this.#ownKey(request);
    const entry = this.#entry(key);
    const [refusedToken] = refused.secrets;
    // A look-up or a refresh that is under way may bring another token by itself.
    if (entry.working !== undefined) await entry.waiting.for(entry.working, request.presence);
    const current = entry.credential;
    if (current !== undefined && current.secrets[0] !== refusedToken) return current;
    const now = this.#services.clock.now();
    const isOther = (tokens: { readonly accessToken: string }): boolean => tokens.accessToken !== refusedToken;
    const aim: RefreshAim = {
      // Refused as well, and obtained after a refusal a moment ago: another one would be refused too.
      accepts: (found) => isOther(found) || (found.afterRefusal && now - found.obtainedAtMs < RENEWAL_PAUSE_MS),
      afterRefusal: true,
    };
    if (this.#backsOff(entry) !== undefined) return refused;
    const denial = await this.#work(entry, request.presence, () => this.#refresh(key, entry, aim));
    if (denial instanceof Denial) return denial;
    const renewed = entry.credential;
    return renewed === undefined || renewed.secrets[0] === refusedToken ? refused : renewed;
  }

  async #attach(request: CredentialRequest, own: ConnectionKey): Promise<Credential | Denial> {
    const mine = await this.#obtain(own, request);
    if (mine !== 'none') return mine;
    const shared = this.#provider.shared ? await this.#obtain(sharedKey(own), request) : 'none';
    return shared === 'none' ? this.#connectionRequired(request, own, 'not_connected') : shared;
  }

  /** The credential of one connection, waiting for it where it must. */
  async #obtain(key: ConnectionKey, request: CredentialRequest): Promise<Credential | Denial | 'none'> {
    const entry = this.#entry(key);
    const { clock } = this.#services;
    const isUnreadable = entry.unreadable && this.#isChecked(entry);
    if (!isUnreadable && (!this.#isChecked(entry) || entry.connection === undefined)) {
      const denial = await this.#work(entry, request.presence, () => this.#load(key, entry));
      if (denial instanceof Denial) return denial;
    }
    // Not the shared one instead: an account must not change because a key is missing.
    if (entry.unreadable) return this.#connectionRequired(request, key, UNREADABLE);
    if (entry.connection === undefined) return 'none';
    if (clock.now() >= entry.usableUntilMs) {
      const { refreshToken, lost } = entry.connection.tokens;
      if (lost) return this.#connectionRequired(request, key, 'connection_lost');
      if (refreshToken === undefined) return this.#connectionRequired(request, key, 'connection_expired');
      const failure = this.#backsOff(entry);
      if (failure !== undefined) return deniedBy(failure.fault, failure.untilMs - clock.monotonic());
      const aim: RefreshAim = {
        accepts: (found) => clock.now() < this.#usability(found).usableUntilMs,
        afterRefusal: false,
      };
      const denial = await this.#work(entry, request.presence, () => this.#refresh(key, entry, aim));
      if (denial instanceof Denial) return denial;
      const after = entry.connection as OpenConnection | undefined;
      if (entry.unreadable) return this.#connectionRequired(request, key, UNREADABLE);
      if (after === undefined) return 'none';
      if (after.tokens.lost) return this.#connectionRequired(request, key, 'connection_lost');
    }
    return this.#heldFor(key) ?? deny('credential_unavailable', 'connection_unusable');
  }

  /** What can be attached without waiting; `undefined` where that cannot be told. Begins a refresh behind its users' backs. */
  #heldFor(key: ConnectionKey): Credential | 'none' | undefined {
    const entry = this.#entries.get(ownerText(key));
    if (entry === undefined || entry.unreadable || !this.#isChecked(entry)) return undefined;
    if (entry.connection === undefined) return 'none';
    const now = this.#services.clock.now();
    if (now >= entry.usableUntilMs || entry.credential === undefined) return undefined;
    const { refreshToken, obtainedAtMs } = entry.connection.tokens;
    if (
      now >= entry.refreshAtMs &&
      refreshToken !== undefined &&
      entry.working === undefined &&
      !this.#backsOff(entry)
    ) {
      const aim: RefreshAim = { accepts: (found) => found.obtainedAtMs > obtainedAtMs, afterRefusal: false };
      // The token at hand serves on; the failure is remembered in the entry.
      void this.#work(entry, undefined, () => this.#refresh(key, entry, aim));
    }
    return entry.credential;
  }

  /** Does one thing at a time for one connection; the others wait for it. Answers the denial where it fails. */
  async #work(entry: Entry, presence: Presence | undefined, work: () => Promise<void>): Promise<Denial | undefined> {
    if (entry.working === undefined) {
      const working = work().finally(() => {
        entry.working = undefined;
      });
      working.catch(() => {}); // told to those who wait, if any
      entry.working = working;
    }
    const outcome = await entry.waiting.for(entry.working, presence);
    return outcome instanceof Denial ? outcome : undefined;
  }

  async #load(key: ConnectionKey, entry: Entry): Promise<void> {
    try {
      this.#keep(key, entry, await this.#provider.connections.read(key));
    } catch (cause) {
      const fault = faultOf(cause, 'connection_store_failed');
      if (fault.reason !== UNREADABLE) throw fault;
      this.#keepUnreadable(key, entry, fault);
    }
  }

  async #refresh(key: ConnectionKey, entry: Entry, aim: RefreshAim): Promise<void> {
    try {
      this.#keep(key, entry, await this.#provider.connections.refresh(key, aim));
      entry.failure = undefined;
    } catch (cause) {
      const fault = faultOf(cause, 'connection_store_failed');
      if (fault.reason === UNREADABLE) return this.#keepUnreadable(key, entry, fault);
      entry.failure = failureAfter(entry.failure, fault, this.#services.clock.monotonic());
      throw fault;
    }
  }

  #keep(key: ConnectionKey, entry: Entry, connection: OpenConnection | undefined): void {
    const before = entry.connection?.tokens.accessToken;
    entry.connection = connection;
    entry.unreadable = false;
    entry.checkedAt = this.#services.clock.monotonic();
    if (connection === undefined) {
      entry.credential = undefined;
      return;
    }
    const { accessToken } = connection.tokens;
    // The same object as long as the token is the same: what is made from it stays.
    if (entry.credential === undefined || before !== accessToken || entry.credential.connection !== connection.id) {
      const made = headerCredential(this.#headerName, `${this.#scheme} ${accessToken}`, [accessToken]);
      entry.credential = Object.freeze({ ...made, connection: connection.id });
      this.#owners.set(entry.credential, key);
      Object.assign(entry, this.#usability(connection.tokens));
    }
  }

  #keepUnreadable(key: ConnectionKey, entry: Entry, { explanation }: OAuthFault): void {
    const { zoneId, providerId, owner } = key;
    const time = new Date(this.#services.clock.now()).toISOString();
    if (!entry.unreadable) {
      const reason = explanation === undefined ? {} : { reason: explanation };
      this.#services.tell({ type: 'connection_unreadable', zoneId, providerId, owner, ...reason, time });
    }
    this.#keep(key, entry, undefined);
    entry.unreadable = true;
  }

  #usability(tokens: OpenConnection['tokens']): { readonly usableUntilMs: number; readonly refreshAtMs: number } {
    return usabilityOf(tokens, this.#provider.client.settings.assumedLifetimeMs);
  }

  #isChecked({ checkedAt, connection }: Entry): boolean {
    const limitMs = connection === undefined ? RECHECK_ABSENCE_MS : RECHECK_MS;
    return this.#services.clock.monotonic() - checkedAt < limitMs;
  }

  #backsOff({ failure }: Entry): Failure | undefined {
    return failure !== undefined && this.#services.clock.monotonic() < failure.untilMs ? failure : undefined;
  }

  async #connectionRequired(request: CredentialRequest, key: ConnectionKey, reason: string): Promise<Denial> {
    const { mandate, resource } = request;
    // A shared connection is for whoever has the admin token: a subject is asked for its own.
    const own = key.owner === 'shared' ? this.#ownKey(request) : key;
    const connectUri = await this.#links.uriFor({
      ...own,
      applicationId: mandate.applicationId,
      resource: resource.identifier,
    });
    return deny('connection_required', reason, { connectUri });
  }

  #ownKey({ mandate, resource }: CredentialRequest): ConnectionKey {
    const { issuer, subject } = mandate;
    return { zoneId: resource.zoneId, providerId: this.#provider.id, owner: { issuer, subject } };
  }

  #entry(key: ConnectionKey): Entry {
    const text = ownerText(key);
    let entry = this.#entries.get(text);
    if (entry === undefined) {
      entry = new Entry();
      this.#entries.set(text, entry);
    }
    return entry;
  }
}

function sharedKey({ zoneId, providerId }: ConnectionKey): ConnectionKey {
  return { zoneId, providerId, owner: 'shared' };
}

// Two parts more for a subject's own: no subject can be named so that it is taken for the shared one.
function ownerText({ zoneId, owner }: ConnectionKey): string {
  return compositeKey(owner === 'shared' ? [zoneId] : [zoneId, owner.issuer, owner.subject]);
}
