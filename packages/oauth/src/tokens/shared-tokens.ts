import { randomUUID } from 'node:crypto';
import {
  type Awaitable,
  type CachedToken,
  type Credential,
  compositeKey,
  type Denial,
  headerCredential,
  isPromise,
  type Presence,
  type SecretBinding,
  type TokenKey,
} from '@caracal/core';
import { LRUCache } from 'lru-cache';
import { faultOf, OAuthFault } from '../oauth-fault.js';
import type { Services } from '../services.js';
import { type Failure, failureAfter } from './back-off.js';
import { jitteredDelay } from './delay.js';
import { usability } from './lifetime.js';
import type { TokenSet } from './token-set.js';
import { deniedBy, Waiting } from './waiting.js';

/** A token obtained because the one before was refused is not renewed for so long, ms. */
export const RENEWAL_PAUSE_MS = 60_000;

const MAX_ENTRIES = 10_000;
const FIRST_POLL_MS = 25;
const LONGEST_POLL_MS = 250;
/** A claim outlives its owner's own deadline by so much, ms. */
const LEASE_SLACK_MS = 2_000;

/** How tokens of one provider are obtained and attached. */
export interface SharedTokensOptions {
  readonly services: Services;
  readonly providerId: string;
  readonly origins: readonly string[];
  readonly headerName: string;
  readonly scheme: string;
  /** For one refresh, waiting for another process included. */
  readonly timeoutMs: number;
  readonly assumedLifetimeMs: number;
}

/** One token that is wanted. */
export interface Wanted {
  readonly key: TokenKey;
  /** Obtains it; asked by one process at a time. @throws OAuthFault */
  readonly obtain: () => Promise<TokenSet>;
  /** Wall clock, ms: not used beyond, whatever its own life. */
  readonly notAfterMs?: number | undefined;
  /** Of whoever waits for it. */
  readonly presence?: Presence | undefined;
}

/** A token in this process. */
interface Held {
  readonly token: string;
  readonly credential: Credential;
  readonly obtainedAtMs: number;
  readonly afterRefusal: boolean;
  readonly usableUntilMs: number;
  readonly refreshAtMs: number;
}

class Entry {
  held: Held | undefined;
  refreshing: Promise<Held> | undefined;
  failure: Failure | undefined;
  readonly waiting = new Waiting();
}

/** What a refresh is to bring. */
interface Aim {
  /** A token that another process has left will do, if this says so. */
  readonly accepts: (found: Held) => boolean;
  readonly afterRefusal: boolean;
}

/**
 * Tokens that are not anybody's in particular, kept in this process and in the shared cache. A usable one is answered at once and
 * renewed behind its users' backs; one process at a time obtains one; failures are remembered.
 */
export class SharedTokens {
  readonly #options: SharedTokensOptions;
  readonly #entries = new LRUCache<string, Entry>({ max: MAX_ENTRIES });

  constructor(options: SharedTokensOptions) {
    this.#options = options;
  }

  /** The credential, synchronously where there is one. */
  get(wanted: Wanted): Awaitable<Credential | Denial> {
    const entry = this.#entry(wanted.key);
    const { clock } = this.#options.services;
    const { held } = entry;
    const now = clock.now();
    if (held !== undefined && now < held.usableUntilMs) {
      if (now >= held.refreshAtMs && entry.refreshing === undefined && !this.#backsOff(entry)) {
        const aim = { accepts: (found: Held) => found.obtainedAtMs > held.obtainedAtMs, afterRefusal: false };
        // The token at hand serves on; the failure is remembered in the entry.
        this.#refresh(entry, wanted, aim).catch(() => {});
      }
      return held.credential;
    }
    const failed = this.#backsOff(entry);
    if (entry.refreshing === undefined && failed !== undefined) return this.#denied(failed);
    return this.#wait(entry, wanted, { accepts: () => true, afterRefusal: false });
  }

  /** Another credential than the one refused; the same one where it must not or cannot be renewed now. */
  async renew(wanted: Wanted, refused: Credential): Promise<Credential | Denial> {
    const entry = this.#entry(wanted.key);
    const [refusedToken] = refused.secrets;
    const other = (found: Held): boolean => found.token !== refusedToken;
    const now = this.#options.services.clock.now();
    const { held } = entry;
    if (held !== undefined && other(held) && now < held.usableUntilMs) return held.credential;
    // Obtained after a refusal a short while ago, and refused too: the upstream means it.
    if (held !== undefined && !other(held) && pauses(held, now)) return refused;
    if (entry.refreshing === undefined && this.#backsOff(entry) !== undefined) return refused;
    const credential = await this.#wait(entry, wanted, { accepts: other, afterRefusal: true });
    return 'headers' in credential && credential.secrets[0] === refusedToken ? refused : credential;
  }

  async #wait(entry: Entry, wanted: Wanted, aim: Aim): Promise<Credential | Denial> {
    entry.refreshing ?? this.#refresh(entry, wanted, aim).catch(() => {}); // told to those who wait, below
    const held = await entry.waiting.for(entry.refreshing as Promise<Held>, wanted.presence);
    return 'credential' in held ? held.credential : held;
  }

  #refresh(entry: Entry, wanted: Wanted, aim: Aim): Promise<Held> {
    const { services, providerId } = this.#options;
    const refreshing = this.#refreshed(wanted, aim).then(
      (held) => {
        entry.held = held;
        entry.failure = undefined;
        return held;
      },
      (cause: unknown) => {
        const fault = faultOf(cause, 'token_cache_failed');
        entry.failure = failureAfter(entry.failure, fault, services.clock.monotonic());
        services.tell({
          type: 'token_failed',
          providerId,
          zoneId: wanted.key.zoneId,
          reason: fault.reason,
          time: new Date(services.clock.now()).toISOString(),
        });
        throw fault;
      },
    );
    entry.refreshing = refreshing;
    const done = (): void => {
      entry.refreshing = undefined;
    };
    refreshing.then(done, done);
    return refreshing;
  }

  async #refreshed(wanted: Wanted, aim: Aim): Promise<Held> {
    const { services, timeoutMs } = this.#options;
    const { clock, tokenCache } = services;
    const { key } = wanted;
    const deadline = clock.monotonic() + timeoutMs;
    const owner = randomUUID();
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 2, LONGEST_POLL_MS)) {
      const found = await this.#found(wanted, aim);
      if (found !== undefined) return found;
      if (await tokenCache.claimRefresh(key, owner, timeoutMs + LEASE_SLACK_MS)) break;
      if (clock.monotonic() + pollMs >= deadline) throw new OAuthFault('token_refreshed_elsewhere');
      await jitteredDelay(pollMs);
    }
    try {
      // Whoever had the claim before may have finished since the cache was read.
      const found = await this.#found(wanted, aim);
      if (found === undefined) return await this.#obtained(wanted, aim, owner);
      await this.#abandon(key, owner);
      return found;
    } catch (cause) {
      await this.#abandon(key, owner);
      throw cause;
    }
  }

  async #obtained(wanted: Wanted, { afterRefusal }: Aim, owner: string): Promise<Held> {
    const { services, assumedLifetimeMs, providerId } = this.#options;
    const tokens = await wanted.obtain();
    const { obtainedAtMs } = tokens;
    const expiresAtMs = tokens.expiresAtMs ?? obtainedAtMs + assumedLifetimeMs;
    const value = await services.box.seal(tokens.accessToken, this.#binding(wanted.key));
    const cached: CachedToken = { value, expiresAtMs, obtainedAtMs, afterRefusal };
    // Where the claim has passed to another, that one's token is the shared one; this one is as good for those who wait here.
    await services.tokenCache.finishRefresh(wanted.key, owner, cached);
    const time = new Date(services.clock.now()).toISOString();
    services.tell({ type: 'token_obtained', providerId, zoneId: wanted.key.zoneId, time });
    return this.#held(tokens.accessToken, cached, wanted);
  }

  /** What another process has left in the cache, if it will do. */
  async #found(wanted: Wanted, aim: Aim): Promise<Held | undefined> {
    const { services } = this.#options;
    const read = services.tokenCache.get(wanted.key);
    const cached = isPromise(read) ? await read : read;
    if (cached === undefined) return undefined;
    const token = await services.box.openOrForget(cached.value, this.#binding(wanted.key));
    if (token === undefined) return undefined;
    const held = this.#held(token, cached, wanted);
    const now = services.clock.now();
    if (!(now < held.usableUntilMs)) return undefined;
    // Refused as well, and obtained after a refusal: all that would come of another one is another refusal.
    return aim.accepts(held) || (aim.afterRefusal && pauses(held, now)) ? held : undefined;
  }

  async #abandon(key: TokenKey, owner: string): Promise<void> {
    try {
      await this.#options.services.tokenCache.abandonRefresh(key, owner);
    } catch {
      // The lease ends it; what went wrong before is what counts.
    }
  }

  #held(token: string, { expiresAtMs, obtainedAtMs, afterRefusal }: CachedToken, { key, notAfterMs }: Wanted): Held {
    const { headerName, scheme } = this.#options;
    const entry = this.#entries.peek(compositeKeyOf(key));
    // The same object as long as the token is the same: what is made from it stays.
    const credential =
      entry?.held?.token === token
        ? entry.held.credential
        : headerCredential(headerName, `${scheme} ${token}`, [token]);
    const until = Math.min(expiresAtMs, notAfterMs ?? Number.POSITIVE_INFINITY);
    return { token, credential, obtainedAtMs, afterRefusal, ...usability(obtainedAtMs, until) };
  }

  #binding({ zoneId, qualifiers }: TokenKey): SecretBinding {
    const { providerId, origins } = this.#options;
    return { zoneId, providerId, field: `token:${compositeKey(qualifiers)}`, origins };
  }

  #entry(key: TokenKey): Entry {
    const text = compositeKeyOf(key);
    let entry = this.#entries.get(text);
    if (entry === undefined) {
      entry = new Entry();
      this.#entries.set(text, entry);
    }
    return entry;
  }

  #backsOff({ failure }: Entry): Failure | undefined {
    return failure !== undefined && this.#options.services.clock.monotonic() < failure.untilMs ? failure : undefined;
  }

  #denied({ fault, untilMs }: Failure): Denial {
    return deniedBy(fault, untilMs - this.#options.services.clock.monotonic());
  }
}

function pauses({ afterRefusal, obtainedAtMs }: Held, now: number): boolean {
  return afterRefusal && now - obtainedAtMs < RENEWAL_PAUSE_MS;
}

function compositeKeyOf({ zoneId, providerId, qualifiers }: TokenKey): string {
  return compositeKey([zoneId, providerId, ...qualifiers]);
}
