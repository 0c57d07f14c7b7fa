import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, syncDirectory } from './segment-files.js';

/** The generated key, in the journal's directory. */
export const SIGNING_KEY_FILE = 'signing-key.pem';

/** The key that signs heads. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** It lies beside the records: who can change those can also sign for them. */
  readonly beside: boolean;
}

/**
 * The given key, else the one in the directory, else a new one there (0600).
 *
 * @throws TypeError for what is not an Ed25519 private key.
 */
export async function loadSigningKey(directory: string, given: string | KeyObject | undefined): Promise<SigningKey> {
  if (given !== undefined) return signingKey(given, false);
  const path = join(directory, SIGNING_KEY_FILE);
  try {
    return signingKey(await readFile(path, 'utf8'), true);
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
  }
  const { privateKey } = generateKeyPairSync('ed25519');
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDirectory(directory);
  return signingKey(privateKey, true);
}

/** The raw public key, base64url: `x` of its JWK. */
export function rawPublicKey(publicKey: KeyObject): string {
  return publicKey.export({ format: 'jwk' }).x ?? '';
}

/**
 * A public key from PEM, raw base64url, or as it is.
 *
 * @throws TypeError for what is not an Ed25519 public key.
 */
export function publicKeyOf(given: string | KeyObject): KeyObject {
  let key: KeyObject;
  try {
    if (typeof given !== 'string') key = given.type === 'private' ? createPublicKey(given) : given;
    else if (given.includes('-----BEGIN')) key = createPublicKey(given);
    else key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: given.trim() }, format: 'jwk' });
  } catch (cause) {
    throw new TypeError('publicKey is an Ed25519 public key: PEM, or the raw key in base64url', { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('publicKey is an Ed25519 public key');
  return key;
}

function signingKey(given: string | KeyObject, beside: boolean): SigningKey {
  let privateKey: KeyObject;
  try {
    privateKey = typeof given === 'string' ? createPrivateKey(given) : given;
  } catch {
    // Without its cause: what OpenSSL says of a key it cannot read is not for logs.
    throw new TypeError('signingKey is an Ed25519 private key: PKCS #8 in PEM, or a KeyObject');
  }
  if (privateKey.type !== 'private' || privateKey.asymmetricKeyType !== 'ed25519') {
    throw new TypeError('signingKey is an Ed25519 private key');
  }
  return { privateKey, publicKey: createPublicKey(privateKey), beside };
}
