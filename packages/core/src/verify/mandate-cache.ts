import { LRUCache } from 'lru-cache';
import type { KeySource } from './key-source.js';
import type { Mandate } from './mandate.js';

/** Most mandates kept. */
export const DEFAULT_CACHE_ENTRIES = 10_000;
/** Most characters of mandates kept, whatever their number. */
export const MAX_CACHE_CHARACTERS = 16 * 1024 * 1024;

/** Mandates found without hashing their text: a power of two. */
const RECENT_SLOTS = 256;

/** A mandate and the text it came as. */
export interface VerifiedMandate {
  readonly mandate: Mandate;
  readonly token: string;
}

/** What a verdict rests on besides the text. */
export interface CachedVerdict {
  readonly verified: VerifiedMandate;
  readonly keySource: KeySource;
  /** Version of the key set it was verified with. */
  readonly version: number;
}

/**
 * Verdicts by the exact text of the mandate. An entry goes when the keys it was verified with are no longer the ones in
 * force. An expired one stays until it is pushed out: verified anew it would be believed again after the wall clock was
 * set back.
 */
export class MandateCache {
  readonly #verdicts: LRUCache<string, CachedVerdict>;
  /** Of each slot the one asked for last: to compare a text takes a tenth of the time of hashing it, which a map has to do. */
  readonly #recent = new Array<CachedVerdict | undefined>(RECENT_SLOTS).fill(undefined);

  constructor(maxEntries: number) {
    this.#verdicts = new LRUCache({
      max: maxEntries,
      maxSize: MAX_CACHE_CHARACTERS,
      sizeCalculation: (_, token) => token.length,
    });
  }

  get(token: string): VerifiedMandate | undefined {
    const slot = slotOf(token);
    const recent = this.#recent[slot];
    const verdict = recent !== undefined && recent.verified.token === token ? recent : this.#verdicts.get(token);
    if (verdict === undefined) return undefined;
    this.#recent[slot] = verdict;
    if (verdict.keySource.version() === verdict.version) return verdict.verified;
    this.delete(token);
    return undefined;
  }

  delete(token: string): void {
    const slot = slotOf(token);
    if (this.#recent[slot]?.verified.token === token) this.#recent[slot] = undefined;
    this.#verdicts.delete(token);
  }

  set(verdict: CachedVerdict): void {
    this.#verdicts.set(verdict.verified.token, verdict);
  }
}

// The end of a signature is as good as random.
function slotOf(token: string): number {
  const end = token.length;
  return (
    ((token.charCodeAt(end - 2) << 6) ^ token.charCodeAt(end - 4) ^ (token.charCodeAt(end - 3) << 3)) &
    (RECENT_SLOTS - 1)
  );
}
