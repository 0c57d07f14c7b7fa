import { createHmac } from 'node:crypto';

/** Bytes of the sum over a bucket's entries. */
export const SUM_BYTES = 32;

/**
 * What makes the dataset's texts trustworthy: HMAC-SHA-256 with the signing key, or with an empty key where none is configured
 * (then it only shows damage). Each use has its own first letter, and says where each part ends.
 */
export class Seals {
  readonly #key: Uint8Array;
  readonly #prefix: string;

  constructor(key: Uint8Array, prefix: string) {
    this.#key = key;
    this.#prefix = prefix;
  }

  /** One entry's share of its bucket's sum. */
  entry(end: number, revoked: boolean, field: string): Buffer {
    return createHmac('sha256', this.#key)
      .update(`e${revoked ? 1 : 0}${end}:${field}`)
      .digest();
  }

  /**
   * A bucket's content, whatever the order. The sum is an exclusive or, which is safe only because nobody without the key ever sees
   * it or an entry's share: the dataset holds this text instead.
   */
  bucket(generation: string, end: number, count: number, sum: Uint8Array): string {
    return this.#text(`b${generation}:${end}:${count}:${Buffer.from(sum).toString('hex')}`).slice(0, 24);
  }

  /** A head's content. */
  head(body: string): string {
    return this.#text(`h${this.#prefix}:${body}`);
  }

  #text(message: string): string {
    return createHmac('sha256', this.#key).update(message).digest('base64url');
  }
}
