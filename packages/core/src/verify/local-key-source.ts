import { CaracalError } from '../errors.js';
import { importKeySet, type KeySetOwner, selectKeys } from './key-set.js';
import type { KeySet, KeySource } from './key-source.js';

/** Options of {@link localKeySource}. */
export interface LocalKeySourceOptions extends KeySetOwner {
  /** Public keys as JWKs, each with a `kid`. */
  readonly keys: readonly object[];
  readonly algorithms: ReadonlySet<string>;
}

const VERSION = 1;

/**
 * Keys that are given, not fetched, and never change.
 *
 * @throws TypeError if none of them is usable
 */
export function localKeySource({ keys, algorithms, ...owner }: LocalKeySourceOptions): KeySource {
  const selected = selectKeys({ keys }, algorithms);
  if (selected.keys.length === 0) {
    const reasons = [...new Set(selected.dropped)].join(', ') || 'the list is empty';
    throw new TypeError(`Issuer ${owner.issuer}: none of its keys is usable (${reasons}); give public JWKs with a kid`);
  }
  let imported: KeySet | undefined;
  let importing: Promise<KeySet> | undefined;
  const load = async () => {
    const set = await importKeySet(selected, VERSION, owner);
    if (!selected.keys.some(({ kid }) => set.get(kid) !== undefined)) {
      throw new CaracalError('issuer_unavailable', 'keys_not_importable');
    }
    imported = set;
    return set;
  };
  const current = () => {
    if (imported !== undefined) return imported;
    importing ??= load();
    return importing;
  };
  return { current, refresh: current, version: () => imported?.version };
}
