import type { Secret } from '@caracal/core';
import { derivedKey, KEY_BYTES, SALT_BYTES, SCRYPT_COST } from './scrypt.js';

/** A hashed secret taken apart. */
export interface SecretHash {
  readonly salt: Uint8Array;
  readonly key: Uint8Array;
}

const PREFIX = `$scrypt$ln=${SCRYPT_COST.ln},r=${SCRYPT_COST.r},p=${SCRYPT_COST.p}$`;

/** Hashes an application's secret with a random salt: `$scrypt$ln=14,r=8,p=5$<salt>$<key>`, both base64 without padding. */
export async function hashSecret(secret: Secret): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  return `${PREFIX}${encode(salt)}$${encode(await derivedKey(secret.reveal(), salt))}`;
}

/**
 * Reads what {@link hashSecret} wrote; `undefined` for anything else. Other costs are refused: the time an answer takes
 * would tell one application from another, and a stranger from both.
 */
export function parseSecretHash(text: string): SecretHash | undefined {
  if (!text.startsWith(PREFIX)) return undefined;
  const [salt, key, ...more] = text.slice(PREFIX.length).split('$').map(decode);
  if (salt?.length !== SALT_BYTES || key?.length !== KEY_BYTES || more.length > 0) return undefined;
  return { salt, key };
}

function encode(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/=+$/, '');
}

function decode(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    // Not base64: what the caller says of it is enough.
    return undefined;
  }
}
