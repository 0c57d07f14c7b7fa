import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  refuseUnknownOptions,
  type SealingKey,
  type SecretBinding,
  type SecretStore,
  sealedSecretStore,
  sealSecret,
} from '@caracal/core';
import { keyDocument, parseKeyDocument } from './key-document.js';
import type { SigningKey, SigningKeyStore } from './signing-key.js';

/** Options of {@link fileSigningKeyStore}. */
export interface FileSigningKeyStoreOptions {
  /** Made (0700) where it does not exist. One process at a time: lock it, as `@caracal/file` does. */
  readonly directory: string;
  /** The zone of the token service: the file of another zone does not open. */
  readonly zone: string;
  /** The first seals, all open. */
  readonly sealingKeys: readonly SealingKey[];
}

/** The keys, in the state directory. */
export const SIGNING_KEYS_FILE = 'token-signing-keys.sealed';

/**
 * Signing keys in one file (0600) of a state directory, sealed as a whole (AES-256-GCM) and bound to the zone: who can
 * read the file signs nothing, and who can write it adds no key of his own. It is replaced as a whole: after a crash it
 * is the old or the new one.
 *
 * @throws TypeError for options that are not in order. `load` rejects where the file is not one it wrote, or does not open.
 */
export function fileSigningKeyStore(options: FileSigningKeyStoreOptions): SigningKeyStore {
  refuseUnknownOptions('fileSigningKeyStore', options, ['directory', 'zone', 'sealingKeys']);
  const { directory, zone, sealingKeys } = options;
  if (typeof directory !== 'string' || directory === '') {
    throw new TypeError('fileSigningKeyStore: directory is the path of the state directory');
  }
  return new FileSigningKeyStore(directory, zone, sealingKeys);
}

class FileSigningKeyStore implements SigningKeyStore {
  readonly #directory: string;
  readonly #binding: SecretBinding;
  readonly #sealingKey: SealingKey;
  readonly #sealed: SecretStore;

  constructor(directory: string, zone: string, sealingKeys: readonly SealingKey[]) {
    this.#sealed = sealedSecretStore({ keys: sealingKeys, cacheEntries: 1 });
    this.#sealingKey = sealingKeys[0]!;
    this.#directory = directory;
    this.#binding = { zoneId: zone, providerId: 'token-service', field: 'signingKeys', origins: [] };
  }

  async load(): Promise<readonly SigningKey[]> {
    let sealed: string;
    try {
      sealed = await readFile(join(this.#directory, SIGNING_KEYS_FILE), 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw cause;
    }
    const opened = await this.#sealed.open({ sealed: sealed.trim() }, this.#binding);
    const keys = parseKeyDocument(opened.reveal());
    if (keys === undefined) throw new Error(`${SIGNING_KEYS_FILE} holds no signing keys; restore or remove it`);
    return keys;
  }

  async save(keys: readonly SigningKey[]): Promise<void> {
    const sealed = await sealSecret(keyDocument(keys), this.#sealingKey, this.#binding);
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await replaceFile(this.#directory, SIGNING_KEYS_FILE, `${sealed}\n`);
  }
}

async function replaceFile(directory: string, name: string, text: string): Promise<void> {
  const draft = join(directory, `.${name}.${randomUUID()}`);
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, join(directory, name));
  } catch (cause) {
    await rm(draft, { force: true });
    throw cause;
  }
  // The new name has to survive a loss of power as well.
  const folder = await open(directory, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
