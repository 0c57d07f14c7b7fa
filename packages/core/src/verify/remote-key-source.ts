import type { Clock } from '../clock.js';
import { CaracalError } from '../errors.js';
import type { AddressPolicy } from '../forward/address-policy.js';
import type { Outbound } from '../forward/outbound.js';
import type { Awaitable } from '../pipeline.js';
import { parseJsonObject } from './json-object.js';
import { importKeySet, type KeySetOwner, selectKeys } from './key-set.js';
import type { KeySet, KeySource } from './key-source.js';

/** How long a fetched key set is used without looking again, ms. */
export const KEY_SET_MAX_AGE_MS = 10 * 60_000;
/** How long the last good key set serves while no newer one can be had, ms. */
export const KEY_SET_MAX_STALE_MS = 60 * 60_000;
/** How often an unknown `kid` may have the set fetched, ms. */
export const UNKNOWN_KID_INTERVAL_MS = 10_000;
/** How long after a failed fetch none is tried, ms. */
export const FAILURE_PAUSE_MS = 5_000;
/** How long one fetch may take, ms. */
export const KEY_SET_TIMEOUT_MS = 5_000;
/** Largest key set, bytes. */
export const KEY_SET_MAX_BYTES = 256 * 1024;
/** Most verifications that wait for one fetch. */
export const MAX_WAITING = 100;

/** Options of {@link remoteKeySource}. */
export interface RemoteKeySourceOptions extends KeySetOwner {
  readonly jwksUri: string;
  readonly outbound: Outbound;
  readonly addressPolicy: AddressPolicy;
  readonly clock: Clock;
  readonly algorithms: ReadonlySet<string>;
}

/**
 * Keys an issuer publishes. One fetch at a time, shared by those who wait; the constants of this file bound how often,
 * how long, how large, and how many may wait. Its version changes with the bytes of the document.
 *
 * @see RFC 7517 section 5
 */
export function remoteKeySource(options: RemoteKeySourceOptions): KeySource {
  return new RemoteKeySource(options);
}

class RemoteKeySource implements KeySource {
  readonly #options: RemoteKeySourceOptions;
  #set: KeySet | undefined;
  #body: Uint8Array | undefined;
  /** Monotonic start of the fetch that brought, or confirmed, the set. */
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;
  /** What the last fetch failed with; `undefined` once one succeeds. */
  #failure: unknown;
  #unknownKidAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<KeySet> | undefined;
  #waiting = 0;

  constructor(options: RemoteKeySourceOptions) {
    this.#options = options;
  }

  /** Cached verdicts ask this and nothing else, so it also has a set that is due looked for, and waits for nothing. */
  version(): number | undefined {
    const now = this.#options.clock.monotonic();
    const set = this.#lastGood(now);
    const due = now - this.#fetchedAt >= KEY_SET_MAX_AGE_MS;
    if (set !== undefined && due && this.#fetching === undefined && this.#mayFetch(now)) {
      // Nobody waits for it here; a failure is kept and told of by the fetch itself.
      this.#fetchOnce().catch(() => {});
    }
    return set?.version;
  }

  current(): Awaitable<KeySet> {
    const now = this.#options.clock.monotonic();
    if (this.#set !== undefined && now - this.#fetchedAt < KEY_SET_MAX_AGE_MS) return this.#set;
    if (!this.#mayFetch(now)) return this.#lastGoodOrThrow(now);
    return this.#wait().catch(() => this.#lastGoodOrThrow(this.#options.clock.monotonic()));
  }

  /** Unlike {@link current} it does not fall back on the last good set: that one lacks the key, and may be outdated. */
  refresh(_kid: string): Awaitable<KeySet> {
    const now = this.#options.clock.monotonic();
    if (this.#fetching !== undefined) {
      if (this.#waiting >= MAX_WAITING) throw this.#unavailable();
      return this.#wait();
    }
    if (now - this.#unknownKidAt < UNKNOWN_KID_INTERVAL_MS || !this.#mayFetch(now)) {
      // After a failure nobody can tell whether the key exists: that is not the caller's fault.
      if (this.#failure !== undefined) throw this.#unavailable();
      return this.#lastGoodOrThrow(now);
    }
    this.#unknownKidAt = now;
    return this.#wait();
  }

  #mayFetch(now: number): boolean {
    if (this.#fetching !== undefined) return this.#waiting < MAX_WAITING;
    return now - this.#failedAt >= FAILURE_PAUSE_MS;
  }

  #lastGood(now: number): KeySet | undefined {
    return now - this.#fetchedAt < KEY_SET_MAX_STALE_MS ? this.#set : undefined;
  }

  #lastGoodOrThrow(now: number): KeySet {
    const set = this.#lastGood(now);
    if (set === undefined) throw this.#unavailable();
    return set;
  }

  #unavailable(): CaracalError {
    return new CaracalError('issuer_unavailable', 'keys_unavailable', { cause: this.#failure });
  }

  #wait(): Promise<KeySet> {
    this.#waiting++;
    return this.#fetchOnce().finally(() => {
      this.#waiting--;
    });
  }

  #fetchOnce(): Promise<KeySet> {
    // `finally` runs later even if the fetch throws at once, so it never clears before this is set.
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<KeySet> {
    const { clock, issuer, onWarning } = this.#options;
    const startedAt = clock.monotonic();
    try {
      const set = await this.#load();
      this.#set = set;
      this.#fetchedAt = startedAt;
      this.#failure = undefined;
      return set;
    } catch (cause) {
      if (this.#failure === undefined) onWarning(`Keys of issuer ${issuer} could not be fetched`);
      this.#failedAt = clock.monotonic();
      this.#failure = cause;
      throw this.#unavailable();
    }
  }

  async #load(): Promise<KeySet> {
    const { jwksUri, outbound, addressPolicy, algorithms } = this.#options;
    const { status, body } = await outbound.fetch({
      method: 'GET',
      url: jwksUri,
      headers: ['accept', 'application/jwk-set+json, application/json'],
      body: undefined,
      timeoutMs: KEY_SET_TIMEOUT_MS,
      maxBytes: KEY_SET_MAX_BYTES,
      addressPolicy,
    });
    if (status !== 200) throw new CaracalError('issuer_unavailable', 'key_set_status');
    if (body.length > KEY_SET_MAX_BYTES) throw new CaracalError('issuer_unavailable', 'key_set_too_large');
    // The same bytes are the same keys: verdicts cached under this version stay good.
    if (this.#set !== undefined && this.#body !== undefined && sameBytes(body, this.#body)) return this.#set;
    const selected = selectKeys(parseJsonObject(body), algorithms);
    const set = await importKeySet(selected, (this.#set?.version ?? 0) + 1, this.#options);
    // A copy: the transport may use its buffer again, and then changed keys could look like the same ones.
    this.#body = new Uint8Array(body);
    return set;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
