import { ask } from '../ask.js';
import type { Clock } from '../clock.js';
import { Denial, deny } from '../errors.js';
import type { Outbound } from '../forward/outbound.js';
import { type Awaitable, isPromise, type Step } from '../pipeline.js';
import { bearerToken, isB64Token } from './bearer.js';
import { mandateOf } from './claims.js';
import { type CompactJws, parseCompactJws } from './compact.js';
import { type IssuerOptions, type TrustedIssuer, trustedIssuers } from './issuers.js';
import { checkHeader, type KeyChoice } from './jose-header.js';
import { own } from './json-object.js';
import type { KeySet, VerificationKey } from './key-source.js';
import type { Mandate } from './mandate.js';
import { DEFAULT_CACHE_ENTRIES, MandateCache, type VerifiedMandate } from './mandate-cache.js';
import { verifySignature } from './signature.js';
import { VerificationBudget } from './verification-budget.js';

/** How long a key source may take to answer, ms: somewhat longer than the remote one's own limit. */
export const KEY_SOURCE_TIMEOUT_MS = 6_000;
/** Most different mandates being verified, or waiting for keys, at once. */
export const MAX_PENDING_MANDATES = 1_024;

/** Options of {@link createVerifier}. */
export interface VerifierOptions {
  readonly issuers: readonly IssuerOptions[];
  /** Needed where an issuer has a `jwksUri`. */
  readonly outbound?: Outbound | undefined;
  readonly clock: Clock;
  /** Most verified mandates kept. Default {@link DEFAULT_CACHE_ENTRIES}. */
  readonly cacheEntries?: number | undefined;
  /** Told in one line of keys that are not used, and of fetches that fail. Default: nobody is. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** Tells who is calling. Revocation and single use are not its business: they are checked on every request. */
export interface Verifier {
  /**
   * Verifies the mandate of an `Authorization` value; synchronously where it was verified before. `peer` is whom
   * failures are counted against. Denials: `missing_token`, `invalid_token`, `issuer_unavailable`, `overloaded`, and
   * `internal_error` where verifying itself failed. Always the same object for the same verdict.
   */
  verify(authorization: string | undefined, peer: string): Step<VerifiedMandate>;
  /** Keeps its verdict on this mandate no longer: it will be verified anew, should it come again. */
  forget(verified: VerifiedMandate): void;
  /** Whether a mandate it has verified is over by now, by the wall clock or by the monotonic one. */
  expired(mandate: Mandate): boolean;
}

/** Makes a verifier. @throws TypeError that names the option and the remedy */
export function createVerifier(options: VerifierOptions): Verifier {
  const { cacheEntries = DEFAULT_CACHE_ENTRIES } = options;
  if (!Number.isSafeInteger(cacheEntries) || cacheEntries < 1) {
    throw new TypeError('createVerifier: cacheEntries is a whole number of at least 1');
  }
  const { outbound, clock, onWarning = () => {} } = options;
  return new MandateVerifier(trustedIssuers(options.issuers, { outbound, clock, onWarning }), clock, cacheEntries);
}

/** A mandate whose issuer is trusted and whose header is in order, before its signature is looked at. */
interface Presented {
  readonly jws: CompactJws;
  readonly issuer: TrustedIssuer;
  readonly choice: KeyChoice;
}

class MandateVerifier implements Verifier {
  readonly #issuers: ReadonlyMap<string, TrustedIssuer>;
  readonly #clock: Clock;
  readonly #cache: MandateCache;
  readonly #budget = new VerificationBudget();
  readonly #pending = new Map<string, Promise<VerifiedMandate | Denial>>();
  /** Monotonic time each mandate ends at, fixed when it was verified: setting the wall clock back revives none. */
  readonly #deadlines = new WeakMap<Mandate, number>();

  constructor(issuers: ReadonlyMap<string, TrustedIssuer>, clock: Clock, cacheEntries: number) {
    this.#issuers = issuers;
    this.#clock = clock;
    this.#cache = new MandateCache(cacheEntries);
  }

  verify(authorization: string | undefined, peer: string): Step<VerifiedMandate> {
    const token = bearerToken(authorization);
    if (typeof token !== 'string') return token;
    const known = this.#cache.get(token);
    if (known !== undefined) return this.expired(known.mandate) ? deny('invalid_token', 'expired') : known;
    const refused = this.#budget.refuse(peer, this.#clock.monotonic());
    if (refused !== undefined) return refused;
    const verdict = this.#pending.get(token) ?? this.#verifyFirst(token);
    // Whoever joins a verification under way has presented the mandate too: one that is repeated counts as many different ones do.
    return isPromise(verdict) ? verdict.then((judged) => this.#counted(judged, peer)) : this.#counted(verdict, peer);
  }

  forget({ token }: VerifiedMandate): void {
    this.#cache.delete(token);
  }

  expired(mandate: Mandate): boolean {
    if (this.#clock.now() >= mandate.expiresAt * 1000) return true;
    const deadline = this.#deadlines.get(mandate);
    return deadline !== undefined && this.#clock.monotonic() >= deadline;
  }

  #verifyFirst(token: string): Step<VerifiedMandate> {
    const presented = this.#present(token);
    if (presented instanceof Denial) return presented;
    if (this.#pending.size >= MAX_PENDING_MANDATES) return deny('overloaded', 'pending_mandates');
    const verdict = this.#judge(token, presented).finally(() => this.#pending.delete(token));
    this.#pending.set(token, verdict);
    return verdict;
  }

  /** Only what is the caller's own fault counts against it. */
  #counted<T>(verdict: T | Denial, peer: string): T | Denial {
    if (verdict instanceof Denial && verdict.code === 'invalid_token') {
      this.#budget.failed(peer, this.#clock.monotonic());
    }
    return verdict;
  }

  #present(token: string): Presented | Denial {
    if (!isB64Token(token)) return deny('invalid_token', 'token_characters');
    const jws = parseCompactJws(token);
    if (jws instanceof Denial) return jws;
    // Not verified yet, so it may choose among the issuers that are trusted, and nothing else.
    const claimed = own(jws.payload, 'iss');
    const issuer = typeof claimed === 'string' ? this.#issuers.get(claimed) : undefined;
    if (issuer === undefined) return deny('invalid_token', 'issuer_unknown');
    const choice = checkHeader(jws.header, issuer);
    return choice instanceof Denial ? choice : { jws, issuer, choice };
  }

  async #judge(token: string, { jws, issuer, choice }: Presented): Promise<VerifiedMandate | Denial> {
    const found = await findKey(issuer, choice);
    if (found instanceof Denial) return found;
    const valid = await this.#hasValidSignature(found.key, jws);
    if (valid instanceof Denial) return valid;
    if (!valid) return deny('invalid_token', 'signature_invalid');
    const now = this.#clock.now();
    const mandate = mandateOf(jws.payload, issuer, now);
    if (mandate instanceof Denial) return mandate;
    this.#deadlines.set(mandate, this.#clock.monotonic() + mandate.expiresAt * 1000 - now);
    const verified = Object.freeze({ mandate, token });
    this.#cache.set({ verified, keySource: issuer.keySource, version: found.version });
    return verified;
  }

  async #hasValidSignature(key: VerificationKey, jws: CompactJws): Promise<boolean | Denial> {
    try {
      return await this.#budget.run(() => verifySignature(key, jws.signature, jws.signed));
    } catch (cause) {
      // The runtime failed. Shown as the caller's fault it would make agents throw good mandates away.
      return deny('internal_error', 'verification_failed', { cause });
    }
  }
}

interface FoundKey {
  readonly key: VerificationKey;
  readonly version: number;
}

async function findKey({ keySource }: TrustedIssuer, { alg, kid }: KeyChoice): Promise<FoundKey | Denial> {
  let set = await keysOf(() => keySource.current());
  if (set instanceof Denial) return set;
  if (set.get(kid) === undefined) set = await keysOf(() => keySource.refresh(kid));
  if (set instanceof Denial) return set;
  const key = set.get(kid);
  if (key === undefined) return deny('invalid_token', 'key_unknown');
  // A key serves one algorithm, whatever the header says of it (RFC 8725 section 3.1).
  return key.alg === alg ? { key, version: set.version } : deny('invalid_token', 'alg_not_of_key');
}

function keysOf(question: () => Awaitable<KeySet>): Step<KeySet> {
  return ask('issuer_unavailable', KEY_SOURCE_TIMEOUT_MS, question);
}
