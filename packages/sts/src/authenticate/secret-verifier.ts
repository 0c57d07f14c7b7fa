import { createHmac, randomBytes } from 'node:crypto';
import { ask, compositeKey, Denial, type Secret, type SecretSource } from '@caracal/core';
import { type Denied, denied } from '../denied.js';
import { GuessBudget } from './guess-budget.js';
import { derivedKey, KEY_BYTES, SALT_BYTES } from './scrypt.js';
import type { SecretHash } from './secret-hash.js';

/** What an application's secret is compared with. */
export type ExpectedSecret =
  | { readonly kind: 'source'; readonly source: SecretSource }
  | { readonly kind: 'hash'; readonly hash: SecretHash };

const BUSY = 'secret_guesses';

/**
 * Verifies application secrets. A wrong guess always costs one run of the memory-hard function out of its peer's budget,
 * whether the application exists or not. The right secret costs that once at most: it is known again by an HMAC under a
 * key of this process alone, so that it passes while strangers guess. At most one such HMAC is kept for each application.
 */
export class SecretVerifier {
  readonly #zone: string;
  readonly #timeoutMs: number;
  readonly #budget = new GuessBudget();
  readonly #key = randomBytes(KEY_BYTES);
  readonly #verified = new Map<string, Uint8Array>();
  /** Of secrets that are kept in the clear, by what was opened last. */
  readonly #opened = new Map<string, { readonly secret: Secret; readonly digest: Uint8Array }>();
  readonly #pending = new Map<string, Promise<boolean | undefined>>();
  readonly #nobody = crypto.getRandomValues(new Uint8Array(SALT_BYTES));

  /** `timeoutMs`: how long a store may take to open a secret. */
  constructor(zone: string, timeoutMs: number) {
    this.#zone = zone;
    this.#timeoutMs = timeoutMs;
  }

  /** `undefined` on success. `expected` is absent where the application is unknown or has no secret. */
  async verify(
    applicationId: string,
    secret: string,
    expected: ExpectedSecret | undefined,
    peer: string,
  ): Promise<Denied | undefined> {
    const digest = this.#digest(applicationId, secret);
    const known = await this.#known(applicationId, expected);
    if (known instanceof Denial) return denied('temporarily_unavailable', known.reason, known.members?.cause);
    if (known !== undefined && equalBytes(digest, known)) return undefined;
    const right = await this.#guess(digest, secret, expected, peer);
    if (right === undefined) return denied('temporarily_unavailable', BUSY);
    if (!right) return denied('invalid_client', expected === undefined ? 'application_unknown' : 'secret_wrong');
    this.#verified.set(applicationId, digest);
    return undefined;
  }

  async #known(applicationId: string, expected: ExpectedSecret | undefined): Promise<Uint8Array | Denial | undefined> {
    if (expected?.kind !== 'source') return this.#verified.get(applicationId);
    const { source } = expected;
    const secret = await ask('credential_unavailable', this.#timeoutMs, () => source.open(this.#zone));
    if (secret instanceof Denial) return secret;
    const known = this.#opened.get(applicationId);
    // A store that opens another one answers another object.
    if (known?.secret === secret) return known.digest;
    const digest = this.#digest(applicationId, secret.reveal());
    this.#opened.set(applicationId, { secret, digest });
    return digest;
  }

  /** Equal guesses under way are one: an application that starts with many requests at once is not its own stranger. */
  #guess(
    digest: Uint8Array,
    secret: string,
    expected: ExpectedSecret | undefined,
    peer: string,
  ): Promise<boolean | undefined> {
    const name = digest.join();
    let pending = this.#pending.get(name);
    if (pending === undefined) {
      const hash = expected?.kind === 'hash' ? expected.hash : undefined;
      pending = this.#budget
        .run(peer, async () => {
          const derived = await derivedKey(secret, hash?.salt ?? this.#nobody);
          return hash !== undefined && equalBytes(derived, hash.key);
        })
        .finally(() => this.#pending.delete(name));
      this.#pending.set(name, pending);
    }
    return pending;
  }

  // In this thread: the way to another one and back, as WebCrypto goes, costs many times the digest.
  #digest(applicationId: string, secret: string): Uint8Array {
    return createHmac('sha256', this.#key)
      .update(compositeKey([applicationId, secret]))
      .digest();
  }
}

// Looks at every byte, so that the time it takes says nothing of where they differ.
function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ (b[i] ?? 0);
  return difference === 0;
}
