import { CaracalError, type Denial, deny } from '../errors.js';
import { type Awaitable, isPromise } from '../pipeline.js';
import { Secret } from './secret.js';
import type { SecretBinding, SecretReference, SecretStore } from './secret-store.js';

/** A secret as options take it: itself, or where it is kept together with the store that opens it. */
export interface SecretOption {
  readonly secret: Secret | SecretReference;
  /** Needed where `secret` is a reference. */
  readonly secrets?: SecretStore;
}

/** Where one secret of a provider comes from. */
export interface SecretSource {
  /** The secret as it is now, synchronously where it is open. Never throws; a failure is `credential_unavailable`. */
  open(zoneId: string): Awaitable<Secret | Denial>;
}

/** What a secret of this provider is bound to; the zone is added when it is asked for. */
export type SecretPlace = Omit<SecretBinding, 'zoneId'>;

const REFERENCE_KINDS = ['sealed', 'env', 'file'];

/**
 * Checks the option `secret` (or another of that shape) and answers its source.
 *
 * @throws TypeError where it is a plain text, a reference without a store, or something else. Never quotes it.
 */
export function secretSource(factory: string, { secret, secrets }: SecretOption, place: SecretPlace): SecretSource {
  const name = `${factory}: ${place.field}`;
  if (secret instanceof Secret) return { open: () => secret };
  if (typeof secret === 'string') throw new TypeError(`${name} is a plain text; wrap it: new Secret(text)`);
  checkReference(name, secret);
  if (typeof secrets?.open !== 'function') {
    throw new TypeError(`${name} is a reference, which needs secrets: a SecretStore that opens it`);
  }
  return new StoredSecret(Object.freeze({ ...secret }), secrets, place);
}

function checkReference(name: string, reference: unknown): void {
  const entries = typeof reference === 'object' && reference !== null ? Object.entries(reference) : [];
  const [kind, value] = entries[0] ?? [];
  if (entries.length !== 1 || !REFERENCE_KINDS.includes(kind ?? '') || typeof value !== 'string' || value === '') {
    throw new TypeError(`${name} is a Secret, { sealed }, { env } or { file } with a text`);
  }
}

class StoredSecret implements SecretSource {
  readonly #reference: SecretReference;
  readonly #store: SecretStore;
  readonly #place: SecretPlace;
  /** Of the zone that asked last: nearly always the only one. */
  #binding: SecretBinding | undefined;

  constructor(reference: SecretReference, store: SecretStore, place: SecretPlace) {
    this.#reference = reference;
    this.#store = store;
    this.#place = place;
  }

  // The store is asked every time and knows what is still good: a file's secret changes under a running gateway.
  open(zoneId: string): Awaitable<Secret | Denial> {
    if (this.#binding?.zoneId !== zoneId) this.#binding = Object.freeze({ zoneId, ...this.#place });
    try {
      const opened = this.#store.open(this.#reference, this.#binding);
      return isPromise(opened) ? opened.then(checked, unavailable) : checked(opened);
    } catch (cause) {
      return unavailable(cause);
    }
  }
}

// A store in plain JavaScript may answer anything; only a Secret goes on, and so no `Bearer undefined`.
function checked(opened: unknown): Secret | Denial {
  return opened instanceof Secret ? opened : deny('credential_unavailable', 'secret_store_answer_invalid');
}

function unavailable(cause: unknown): Denial {
  const known = cause instanceof CaracalError && cause.code === 'credential_unavailable';
  return deny('credential_unavailable', known ? cause.reason : 'secret_not_available', { cause });
}
