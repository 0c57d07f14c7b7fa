import { scrypt } from 'node:crypto';

/** Bytes of a derived key. */
export const KEY_BYTES = 32;
/** Bytes of a salt. */
export const SALT_BYTES = 16;
/** 2^ln rounds over blocks of r: 16 MiB, p times. @see RFC 7914 section 2 */
export const SCRYPT_COST = Object.freeze({ ln: 14, r: 8, p: 5 });

/** The memory-hard function: scrypt over the secret's UTF-8, some 0.1 s in a thread of its own. @see RFC 7914 */
export function derivedKey(secret: string, salt: Uint8Array): Promise<Uint8Array> {
  const { ln, r, p } = SCRYPT_COST;
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, KEY_BYTES, { N: 2 ** ln, r, p }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
