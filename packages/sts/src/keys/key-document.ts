import { type JsonObject, own, Secret } from '@caracal/core';
import type { JWK } from 'jose';
import type { SigningKey } from './signing-key.js';

/** Writes keys as one JSON document: to be sealed, for it holds the private ones. */
export function keyDocument(keys: readonly SigningKey[]): string {
  return JSON.stringify({
    keys: keys.map(({ kid, alg, createdAt, retiresAt, privateJwk }) => ({
      kid,
      alg,
      createdAt,
      retiresAt,
      jwk: JSON.parse(privateJwk.reveal()),
    })),
  });
}

/** Reads what {@link keyDocument} wrote; `undefined` for anything else. */
export function parseKeyDocument(text: string): readonly SigningKey[] | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // Its error would quote private keys.
    return undefined;
  }
  const entries = isObject(document) ? own(document, 'keys') : undefined;
  if (!Array.isArray(entries)) return undefined;
  const keys = entries.map(signingKeyOf);
  return keys.every((key) => key !== undefined) ? keys : undefined;
}

function signingKeyOf(entry: unknown): SigningKey | undefined {
  if (!isObject(entry)) return undefined;
  const kid = own(entry, 'kid');
  const alg = own(entry, 'alg');
  const createdAt = own(entry, 'createdAt');
  const retiresAt = own(entry, 'retiresAt');
  const jwk = own(entry, 'jwk');
  if (typeof kid !== 'string' || (alg !== 'ES256' && alg !== 'EdDSA') || !isObject(jwk)) return undefined;
  if (!isSeconds(createdAt) || !(retiresAt === undefined || isSeconds(retiresAt))) return undefined;
  const { d: _, ...publicJwk } = jwk as JWK;
  return Object.freeze({
    kid,
    alg,
    publicJwk: Object.freeze(publicJwk),
    privateJwk: new Secret(JSON.stringify(jwk)),
    createdAt,
    ...(retiresAt === undefined ? undefined : { retiresAt }),
  });
}

function isSeconds(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
