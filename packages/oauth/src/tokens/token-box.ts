import {
  CaracalError,
  type SealingKey,
  type SecretBinding,
  type SecretStore,
  sealedSecretStore,
  sealSecret,
} from '@caracal/core';

/** Seals tokens for the place they are kept in, and opens them there and nowhere else. */
export class TokenBox {
  readonly #sealing: SealingKey;
  readonly #store: SecretStore;

  /** @throws TypeError for a ring without a key, a key that is not 32 bytes, or two of one id. */
  constructor(keys: readonly SealingKey[]) {
    // What was opened is kept by those who use it, for as long as they do.
    this.#store = sealedSecretStore({ keys, cacheEntries: 1 });
    this.#sealing = keys[0]!;
  }

  seal(text: string, binding: SecretBinding): Promise<string> {
    return sealSecret(text, this.#sealing, binding);
  }

  /** @throws CaracalError `credential_unavailable` where it does not open. */
  async open(sealed: string, binding: SecretBinding): Promise<string> {
    return (await this.#store.open({ sealed }, binding)).reveal();
  }

  /** As `open`; `undefined` where it does not open. */
  async openOrForget(sealed: string, binding: SecretBinding): Promise<string | undefined> {
    try {
      return await this.open(sealed, binding);
    } catch (cause) {
      if (cause instanceof CaracalError) return undefined;
      throw cause;
    }
  }

  /** Whether another key than the first has sealed it. */
  isOutdated(sealed: string): boolean {
    return !sealed.startsWith(`v1.${this.#sealing.id}.`);
  }
}
