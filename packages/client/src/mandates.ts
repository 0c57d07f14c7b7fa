import { type CaracalError, MintError } from './errors.js';
import type { Mint } from './token-endpoint.js';

/** A mandate in use. Times are of the monotonic clock, ms: one that is set must not prolong a mandate. */
export interface HeldMandate {
  readonly token: string;
  readonly mintedAt: number;
  /** From here on the next call waits for a new one. */
  renewAt: number;
  /** It is not used from here on. */
  endsAt: number;
  uses: number;
  /** The gateway has let it through once. */
  accepted: boolean;
}

const MINT_TIMEOUT_MS = 20_000;
/** Life of a mandate whose answer does not tell it, s. */
const UNTOLD_LIFE_SECONDS = 60;
/** After a mint failed, so long none is tried: whatever calls the agent makes, they are no storm. ms */
const FAILURE_PAUSE_MS = 1_000;
/** A mandate younger than this that the gateway does not trust is not replaced: the next one would fare alike. ms */
const YOUNG_MS = 5_000;

const now = () => performance.now();

/** The mandates of one resource and one set of scopes: one at a time, one mint at a time. */
export class Mandates {
  readonly #mint: Mint;
  readonly #resource: string;
  readonly #scopes: readonly string[] | undefined;
  #current: HeldMandate | undefined;
  #minting: Promise<HeldMandate> | undefined;
  #failure: { readonly error: unknown; readonly until: number } | undefined;
  #revoked: CaracalError | undefined;
  /** The resource takes each mandate once. */
  #singleUse = false;

  constructor(mint: Mint, resource: string, scopes: readonly string[] | undefined) {
    this.#mint = mint;
    this.#resource = resource;
    this.#scopes = scopes;
  }

  /**
   * A mandate with at least half of its life before it, so that what is begun with it (a stream ends with its mandate) has time.
   * Where none can be had, the one before is used up to shortly before its end. `headers` go along with a mint.
   */
  async take(headers: Readonly<Record<string, string>>): Promise<HeldMandate> {
    if (this.#revoked !== undefined) throw this.#revoked;
    const held = this.#current;
    if (held !== undefined && now() < held.renewAt) return used(held);
    try {
      return used(this.#singleUse ? await this.#minted(headers) : await this.#shared(headers));
    } catch (error) {
      if (held !== undefined && held === this.#current && now() < held.endsAt) return used(held);
      throw error;
    }
  }

  /** The gateway let a mandate through and says how many seconds it has left by its clock. */
  accepted(held: HeldMandate, secondsLeft: string | null): void {
    held.accepted = true;
    const leftMs = secondsLeft === null ? Number.NaN : Number(secondsLeft) * 1_000;
    // Whole seconds: what differs by less is rounding.
    if (leftMs < held.endsAt - now() - 2_000) {
      held.endsAt = now() + leftMs;
      held.renewAt = Math.min(held.renewAt, now() + leftMs / 2);
    }
  }

  /** The gateway refused a mandate: answers whether a call with another one may fare better. */
  refused(held: HeldMandate, error: CaracalError): boolean {
    if (error.code === 'session_revoked') {
      this.#revoked = error;
      return false;
    }
    if (error.code === 'token_replayed') {
      this.#singleUse = true;
      this.#current = undefined;
      return held.uses > 1;
    }
    if (error.code !== 'invalid_token') return false;
    // The machine may have slept, which this clock does not count, or the issuer may have new keys.
    const replaceable = held.accepted || now() - held.mintedAt > YOUNG_MS;
    if (held === this.#current && replaceable) this.#current = undefined;
    return held !== this.#current;
  }

  #shared(headers: Readonly<Record<string, string>>): Promise<HeldMandate> {
    if (this.#failure !== undefined && now() < this.#failure.until) return Promise.reject(this.#failure.error);
    this.#minting ??= this.#minted(headers)
      .then((held) => {
        if (!this.#singleUse) this.#current = held;
        this.#failure = undefined;
        return held;
      })
      .catch((error: unknown) => {
        this.#failure = { error, until: now() + FAILURE_PAUSE_MS };
        throw error;
      })
      .finally(() => {
        this.#minting = undefined;
      });
    return this.#minting;
  }

  async #minted(headers: Readonly<Record<string, string>>): Promise<HeldMandate> {
    const mintedAt = now(); // before the answer is there: on the safe side
    const signal = AbortSignal.timeout(MINT_TIMEOUT_MS);
    const response = await this.#mint({ resource: this.#resource, scopes: this.#scopes, headers, signal });
    const { access_token: token, expires_in: seconds = UNTOLD_LIFE_SECONDS } = response ?? {};
    if (typeof token !== 'string' || !/^[\w.~+/-]+=*$/.test(token) || !(seconds > 0)) {
      throw new MintError('token_response_invalid');
    }
    const lifeMs = seconds * 1_000;
    return {
      token,
      mintedAt,
      renewAt: mintedAt + lifeMs / 2,
      endsAt: mintedAt + lifeMs - Math.min(5_000, lifeMs / 10),
      uses: 0,
      accepted: false,
    };
  }
}

function used(held: HeldMandate): HeldMandate {
  held.uses += 1;
  return held;
}
