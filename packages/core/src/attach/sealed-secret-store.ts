import { LRUCache } from 'lru-cache';
import { CaracalError } from '../errors.js';
import { refuseUnknownOptions, wholeNumber } from '../option-checks.js';
import type { Awaitable } from '../pipeline.js';
import { parseEnvelope } from './sealed-envelope.js';
import { importSealingKey, type SealingKey, sealingKeyBytes } from './sealing-key.js';
import { Secret } from './secret.js';
import { associatedData } from './secret-binding.js';
import type { SecretBinding, SecretReference, SecretStore } from './secret-store.js';

/** Options of {@link sealedSecretStore}. */
export interface SealedSecretStoreOptions {
  /** Every key that may have sealed something; `sealSecret` takes the first. Ids are unique. */
  readonly keys: readonly SealingKey[];
  /** How many opened secrets are kept in memory. Default 1,000. */
  readonly cacheEntries?: number;
}

/** Default of `cacheEntries`. */
export const DEFAULT_OPENED_SECRETS = 1_000;

/**
 * A store that opens sealed secrets, wherever they are kept. A secret opened before is answered at once, as the same
 * object; another binding opens nothing, cached or not.
 *
 * `open` throws `CaracalError('credential_unavailable')` with reason `sealed_malformed`, `sealing_key_unknown`,
 * `sealed_not_openable` (another key under that id, another binding, or changed bytes: nobody can tell which), or
 * `secret_kind_env`, `secret_kind_file`, `secret_kind_unknown` for references it is not for.
 *
 * @throws TypeError where there is no key, a key is not 32 bytes, or two have one id.
 */
export function sealedSecretStore(options: SealedSecretStoreOptions): SecretStore {
  refuseUnknownOptions('sealedSecretStore', options, ['keys', 'cacheEntries']);
  const { keys, cacheEntries = DEFAULT_OPENED_SECRETS } = options;
  return new SealedSecretStore(keyRing(keys), wholeNumber('sealedSecretStore', 'cacheEntries', cacheEntries));
}

interface RingKey {
  readonly bytes: Uint8Array<ArrayBuffer>;
  imported: Promise<CryptoKey> | undefined;
}

function keyRing(keys: readonly SealingKey[]): ReadonlyMap<string, RingKey> {
  if (!Array.isArray(keys) || keys.length === 0) {
    throw new TypeError('sealedSecretStore: keys is empty; make a key with generateSealingKey()');
  }
  const ring = new Map<string, RingKey>();
  for (const key of keys) {
    const bytes = sealingKeyBytes(key);
    if (ring.has(key.id)) throw new TypeError(`sealedSecretStore: two keys have the id ${key.id}`);
    ring.set(key.id, { bytes, imported: undefined });
  }
  return ring;
}

interface Opened {
  readonly binding: SecretBinding;
  readonly secret: Secret;
}

class SealedSecretStore implements SecretStore {
  readonly #ring: ReadonlyMap<string, RingKey>;
  /** By envelope: its IV is random, so one text belongs to one binding. */
  readonly #opened: LRUCache<string, Opened>;

  constructor(ring: ReadonlyMap<string, RingKey>, cacheEntries: number) {
    this.#ring = ring;
    this.#opened = new LRUCache({ max: cacheEntries });
  }

  open(reference: SecretReference, binding: SecretBinding): Awaitable<Secret> {
    if (!('sealed' in reference)) throw unavailable(kindReason(reference));
    return this.#known(reference.sealed, binding) ?? this.#unseal(reference.sealed, binding);
  }

  #known(text: string, binding: SecretBinding): Secret | undefined {
    const opened = this.#opened.get(text);
    return opened !== undefined && isSameBinding(opened.binding, binding) ? opened.secret : undefined;
  }

  async #unseal(text: string, binding: SecretBinding): Promise<Secret> {
    const envelope = parseEnvelope(text);
    if (envelope === undefined) throw unavailable('sealed_malformed');
    const key = this.#ring.get(envelope.keyId);
    if (key === undefined) throw unavailable('sealing_key_unknown');
    key.imported ??= importSealingKey(key.bytes, 'decrypt');
    // A copy from before anything waits: what the caller changes meanwhile is not what was opened.
    const bound = copyOf(binding);
    const additionalData = associatedData(envelope.keyId, bound);
    const plaintext = await decrypt(await key.imported, envelope.iv, additionalData, envelope.ciphertext);
    // Opened by somebody else meanwhile: the same object for everyone, so that credentials made from it stay.
    const before = this.#known(text, bound);
    if (before !== undefined) return before;
    const secret = new Secret(plaintext);
    this.#opened.set(text, { binding: bound, secret });
    return secret;
  }
}

async function decrypt(
  key: CryptoKey,
  iv: Uint8Array<ArrayBuffer>,
  additionalData: Uint8Array<ArrayBuffer>,
  ciphertext: Uint8Array<ArrayBuffer>,
): Promise<string> {
  try {
    const bytes = await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData }, key, ciphertext);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw unavailable('sealed_not_openable', cause);
  }
}

function copyOf({ zoneId, providerId, field, origins }: SecretBinding): SecretBinding {
  return { zoneId, providerId, field, origins: [...origins] };
}

// Stricter than the associated data, for which the order of origins does not matter: another order is opened anew.
function isSameBinding(a: SecretBinding, b: SecretBinding): boolean {
  return (
    a.providerId === b.providerId &&
    a.zoneId === b.zoneId &&
    a.field === b.field &&
    a.origins.length === b.origins.length &&
    a.origins.every((origin, index) => origin === b.origins[index])
  );
}

function kindReason(reference: SecretReference): string {
  if ('env' in reference) return 'secret_kind_env';
  return 'file' in reference ? 'secret_kind_file' : 'secret_kind_unknown';
}

function unavailable(reason: string, cause?: unknown): CaracalError {
  return new CaracalError('credential_unavailable', reason, { cause });
}
