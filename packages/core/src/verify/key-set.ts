import { importJWK } from 'jose/key/import';
import { isJsonObject, own } from './json-object.js';
import type { KeySet, VerificationKey } from './key-source.js';
import { type UsableKey, usableKey } from './usable-key.js';

/** Most keys of one set that are used. */
export const MAX_KEYS = 100;

/** A key set after the checks that need no cryptography. */
export interface SelectedKeys {
  readonly keys: readonly UsableKey[];
  /** Why each of the others was dropped. */
  readonly dropped: readonly string[];
}

/**
 * Selects the usable keys of a JSON Web Key Set. A `kid` that occurs twice is used by none of its keys: which one it
 * means would depend on the reader.
 *
 * @throws TypeError if it is no key set @see RFC 7517 section 5
 */
export function selectKeys(jwks: unknown, algorithms: ReadonlySet<string>): SelectedKeys {
  const entries = isJsonObject(jwks) ? own(jwks, 'keys') : undefined;
  if (!Array.isArray(entries)) throw new TypeError('Not a JSON Web Key Set: it has no array "keys"');
  const repeated = repeatedKids(entries);
  const keys: UsableKey[] = [];
  const dropped: string[] = [];
  for (const entry of entries as unknown[]) {
    const key = usableKey(entry, algorithms);
    if (typeof key === 'string') dropped.push(key);
    else if (repeated.has(key.kid)) dropped.push('kid_repeated');
    else if (keys.length === MAX_KEYS) dropped.push('too_many');
    else keys.push(key);
  }
  return { keys, dropped };
}

/** Who a key set belongs to, and who hears of keys it drops. */
export interface KeySetOwner {
  readonly issuer: string;
  readonly onWarning: (message: string) => void;
}

/** Imports selected keys. One warning tells of all that were dropped, with their number by reason. */
export async function importKeySet(selected: SelectedKeys, version: number, owner: KeySetOwner): Promise<KeySet> {
  const dropped = [...selected.dropped];
  const keys = new Map<string, VerificationKey>();
  for (const { kid, alg, jwk } of selected.keys) {
    try {
      // An asymmetric JWK becomes a CryptoKey; bytes come of `oct` alone.
      const key = (await importJWK({ ...jwk }, alg, { extractable: false })) as CryptoKey;
      keys.set(kid, Object.freeze({ kid, alg, key }));
    } catch {
      // A point off its curve, or an algorithm this runtime does not have: the other keys still serve.
      dropped.push('import_failed');
    }
  }
  if (dropped.length > 0) owner.onWarning(droppedWarning(owner.issuer, dropped));
  return Object.freeze({ version, get: (kid: string) => keys.get(kid) });
}

function droppedWarning(issuer: string, dropped: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of dropped) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return `Keys of issuer ${issuer} that are not used: ${reasons}`;
}

function repeatedKids(entries: readonly unknown[]): ReadonlySet<unknown> {
  const seen = new Set<unknown>();
  const repeated = new Set<unknown>();
  for (const entry of entries) {
    const kid = isJsonObject(entry) ? own(entry, 'kid') : undefined;
    if (seen.has(kid)) repeated.add(kid);
    seen.add(kid);
  }
  return repeated;
}
