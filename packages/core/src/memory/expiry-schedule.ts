const NOTHING: readonly never[] = Object.freeze([]);

/**
 * Items by the second they are done with, so that cleaning up looks at those alone and not at everything that is kept. Costs
 * one list a second of spread: for lives of up to some days.
 */
export class ExpirySchedule<Item> {
  readonly #bySecond = new Map<number, Item[]>();
  #cleaned = Number.NEGATIVE_INFINITY;

  /** @param atMs When the item is done with, on the clock that `due` is asked with. */
  add(atMs: number, item: Item): void {
    const second = Math.ceil(atMs / 1000);
    const items = this.#bySecond.get(second);
    if (items === undefined) this.#bySecond.set(second, [item]);
    else items.push(item);
  }

  /** Takes out what is done with by now. Looks at most once a second. */
  due(nowMs: number): readonly Item[] {
    const now = Math.floor(nowMs / 1000);
    // Not `<=`: a wall clock that was set back must be followed.
    if (now === this.#cleaned) return NOTHING;
    this.#cleaned = now;
    const due: Item[] = [];
    for (const [second, items] of this.#bySecond) {
      if (second > now) continue;
      this.#bySecond.delete(second);
      for (const item of items) due.push(item);
    }
    return due;
  }
}
