import type { Attributes } from '@opentelemetry/api';

/** Sets that are kept for one place; what comes after them is made for each request. */
export const MAX_KEPT_SETS = 64;

/** What a set of attributes is made from: compared member by member. */
export type Facts = Readonly<Record<string, string | number | undefined>>;

/**
 * Attributes that many requests have in common, made once. SDKs sort the names of every measurement's attributes and turn them into
 * a text: in a set that is sorted already there is nothing to move.
 */
export class AttributeSets<F extends Facts> {
  readonly #make: (facts: F) => Attributes;
  readonly #same: (a: F, b: F) => boolean;
  readonly #kept: { readonly facts: F; readonly attributes: Attributes }[] = [];

  constructor(make: (facts: F) => Attributes, same: (a: F, b: F) => boolean) {
    this.#make = make;
    this.#same = same;
  }

  /** The attributes for these facts: frozen, without those that are `undefined`. */
  of(facts: F): Attributes {
    for (const { facts: known, attributes } of this.#kept) if (this.#same(known, facts)) return attributes;
    const attributes = sorted(this.#make(facts));
    if (this.#kept.length < MAX_KEPT_SETS) this.#kept.push({ facts, attributes });
    return attributes;
  }
}

function sorted(attributes: Attributes): Attributes {
  const defined = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return Object.freeze(Object.fromEntries(defined.sort(([a], [b]) => (a < b ? -1 : 1))));
}
