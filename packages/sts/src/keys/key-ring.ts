import { importKeySet, type KeySet, type KeySource, selectKeys } from '@caracal/core';
import type { JWK } from 'jose';
import { type MandateSigner, mandateSigner } from './mandate-signer.js';
import { generateSigningKey, type SigningAlgorithm, type SigningKey, type SigningKeyStore } from './signing-key.js';

/** What a key ring is made with. */
export interface KeyRingOptions {
  readonly issuer: string;
  readonly store: SigningKeyStore;
  /** Of keys made from now on. */
  readonly algorithm: SigningAlgorithm;
  /** How long a key is published after it has signed last, s. */
  readonly overlapSeconds: number;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
}

/** The keys in force at one moment. */
interface Ring {
  readonly keys: readonly SigningKey[];
  readonly signer: { readonly key: SigningKey; readonly sign: MandateSigner };
  readonly set: KeySet;
}

/** An issuer's keys: one signs, those before it are published until what they signed has ended. */
export class KeyRing {
  readonly #options: KeyRingOptions;
  #ring: Ring;
  #changing: Promise<void> = Promise.resolve();
  /** When the next key is done with, s since the epoch. */
  #retiresAt: number;

  private constructor(options: KeyRingOptions, ring: Ring) {
    this.#options = options;
    this.#ring = ring;
    this.#retiresAt = nextRetirement(ring.keys);
  }

  /** Loads the keys, and makes the first one where there is none. Rejects where the store cannot answer. */
  static async open(options: KeyRingOptions): Promise<KeyRing> {
    let keys = await options.store.load();
    if (!keys.some(({ retiresAt }) => retiresAt === undefined)) {
      keys = [...keys, await generateSigningKey(options.algorithm, seconds(options))];
      await options.store.save(keys);
    }
    return new KeyRing(options, await ringOf(options.issuer, keys, 1));
  }

  /** Signs claims as a mandate. */
  sign(claims: object): string {
    return this.#ring.signer.sign(claims);
  }

  /** The public key set. Keys whose overlap is over are not in it. */
  jwks(): { readonly keys: JWK[] } {
    return { keys: publicKeys(this.#published()) };
  }

  /** Public keys for verifiers in this process. */
  get keySource(): KeySource {
    const current = () => this.set;
    return { current, refresh: current, version: () => this.set.version };
  }

  /** When the key that signs was made, s since the epoch. */
  get signsSince(): number {
    return this.#ring.signer.key.createdAt;
  }

  /** The keys as verifiers know them. */
  get set(): KeySet {
    if (this.#retiresAt <= seconds(this.#options)) this.#retire();
    return this.#ring.set;
  }

  /**
   * Makes another key, which signs from now on. Those before stay published for the overlap, or are forgotten at once.
   * Rejects, and changes nothing, where the store does not take it. Several calls are one after another.
   */
  rotate(keepPrevious = true): Promise<void> {
    const rotated = this.#changing.then(() => this.#rotate(keepPrevious));
    this.#changing = rotated.catch(() => {}); // told to whoever asked; the next may succeed
    return rotated;
  }

  async #rotate(keepPrevious: boolean): Promise<void> {
    const { issuer, store, algorithm, overlapSeconds } = this.#options;
    const now = seconds(this.#options);
    const before = (keepPrevious ? this.#published() : []).map((key) =>
      key.retiresAt === undefined ? Object.freeze({ ...key, retiresAt: now + overlapSeconds }) : key,
    );
    const keys = [...before, await generateSigningKey(algorithm, now)];
    const ring = await ringOf(issuer, keys, this.#ring.set.version + 1);
    await store.save(keys);
    this.#ring = ring;
    this.#retiresAt = nextRetirement(keys);
  }

  // What is no longer published verifies nothing any more, here as elsewhere: a stolen key is done with.
  #retire(): void {
    const { signer, set } = this.#ring;
    const keys = this.#published();
    const kids = new Set(keys.map(({ kid }) => kid));
    const left = { version: set.version + 1, get: (kid: string) => (kids.has(kid) ? set.get(kid) : undefined) };
    this.#ring = { keys, signer, set: Object.freeze(left) };
    this.#retiresAt = nextRetirement(keys);
  }

  #published(): readonly SigningKey[] {
    const now = seconds(this.#options);
    return this.#ring.keys.filter(({ retiresAt }) => retiresAt === undefined || retiresAt > now);
  }
}

function nextRetirement(keys: readonly SigningKey[]): number {
  return Math.min(...keys.map(({ retiresAt = Number.POSITIVE_INFINITY }) => retiresAt));
}

async function ringOf(issuer: string, keys: readonly SigningKey[], version: number): Promise<Ring> {
  const key = keys.findLast(({ retiresAt }) => retiresAt === undefined)!;
  const selected = selectKeys({ keys: publicKeys(keys) }, new Set(['ES256', 'EdDSA']));
  const set = await importKeySet(selected, version, { issuer, onWarning: () => {} });
  if (set.get(key.kid) === undefined) throw new TypeError(`Issuer ${issuer}: its signing key is not usable`);
  return { keys, signer: { key, sign: mandateSigner(key) }, set };
}

function publicKeys(keys: readonly SigningKey[]): JWK[] {
  return keys.map(({ kid, alg, publicJwk }) => ({ ...publicJwk, kid, alg, use: 'sig' }));
}

function seconds({ now }: KeyRingOptions): number {
  return Math.floor(now() / 1000);
}
