import type { Anchor, AnchorKind } from '../verify/anchor.js';

/** Until when each id of one kind is revoked, ms on the index's clock; `Infinity`: until lifted. */
type Revoked = Map<string, number>;
type ByKind = Map<AnchorKind, Revoked>;
type ByIssuer = Map<string, ByKind>;

const CLEANING_INTERVAL_MS = 1_000;

/**
 * Revoked anchors as nested maps: asked on every request, so without a text made for the question, and with no part that
 * could pose as another.
 */
export class RevocationIndex {
  readonly #zones = new Map<string, ByIssuer>();
  #size = 0;
  #cleanedAt = Number.NEGATIVE_INFINITY;

  /** Entries, those included that have expired and were not removed. */
  get size(): number {
    return this.#size;
  }

  /** Until when this anchor is revoked, or `undefined`. */
  until({ zoneId, issuer, kind, id }: Anchor): number | undefined {
    return this.#zones.get(zoneId)?.get(issuer)?.get(kind)?.get(id);
  }

  set({ zoneId, issuer, kind, id }: Anchor, until: number): void {
    const issuers = inner(this.#zones, zoneId, () => new Map() as ByIssuer);
    const kinds = inner(issuers, issuer, () => new Map() as ByKind);
    const ids = inner(kinds, kind, () => new Map() as Revoked);
    if (!ids.has(id)) this.#size++;
    ids.set(id, until);
  }

  /** Removes an anchor, and the maps that only it needed. */
  delete({ zoneId, issuer, kind, id }: Anchor): void {
    const issuers = this.#zones.get(zoneId);
    const kinds = issuers?.get(issuer);
    const ids = kinds?.get(kind);
    if (!issuers || !kinds || !ids?.delete(id)) return;
    this.#size--;
    if (ids.size === 0) kinds.delete(kind);
    if (kinds.size === 0) issuers.delete(issuer);
    if (issuers.size === 0) this.#zones.delete(zoneId);
  }

  /** Whether one more entry fits below `maxEntries`, without what is over by `now`. Nothing else is ever forgotten for it. */
  hasRoom(maxEntries: number, now: number): boolean {
    // Looks at every entry, so not again within a second.
    if (this.#size >= maxEntries && now - this.#cleanedAt >= CLEANING_INTERVAL_MS) {
      this.#cleanedAt = now;
      this.deleteUntil(now);
    }
    return this.#size < maxEntries;
  }

  /** Removes what is over by `now`. Looks at every entry. */
  deleteUntil(now: number): void {
    for (const [zoneId, issuers] of this.#zones) {
      for (const [issuer, kinds] of issuers) {
        for (const [kind, ids] of kinds) {
          for (const [id, until] of ids) if (until <= now) this.delete({ zoneId, issuer, kind, id });
        }
      }
    }
  }

  /** Every entry with its end, those included that have expired and were not removed. May change while it is read. */
  *entries(): Generator<readonly [Anchor, number]> {
    for (const [zoneId, issuers] of this.#zones) {
      for (const [issuer, kinds] of issuers) {
        for (const [kind, ids] of kinds) {
          for (const [id, until] of ids) yield [{ zoneId, issuer, kind, id }, until];
        }
      }
    }
  }

  /** Whether one of the anchors is revoked after `now`. The anchors of one mandate share zone and issuer: looked up once. */
  hasAny(anchors: readonly Anchor[], now: number): boolean {
    let kinds: ByKind | undefined;
    let zoneId: string | undefined;
    let issuer: string | undefined;
    for (const anchor of anchors) {
      if (anchor.zoneId !== zoneId || anchor.issuer !== issuer) {
        ({ zoneId, issuer } = anchor);
        kinds = this.#zones.get(zoneId)?.get(issuer);
      }
      const until = kinds?.get(anchor.kind)?.get(anchor.id);
      if (until !== undefined && until > now) return true;
    }
    return false;
  }
}

function inner<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
