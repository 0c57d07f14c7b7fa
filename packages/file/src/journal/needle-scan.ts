/** Whether any of some texts stands in a line, found for a whole block at once: most lines are never looked at. */
export class NeedleScan {
  readonly #needles: readonly { readonly bytes: Buffer; next: number }[];
  #block: Buffer | undefined;

  constructor(needles: readonly string[]) {
    this.#needles = needles.map((text) => ({ bytes: Buffer.from(text), next: 0 }));
  }

  /** Ask in ascending order. `block` has to be another object for other bytes. Without needles every line has them. */
  found(block: Buffer, start: number, end: number): boolean {
    if (this.#needles.length === 0) return true;
    if (block !== this.#block) {
      this.#block = block;
      for (const needle of this.#needles) needle.next = -1;
    }
    let found = false;
    for (const needle of this.#needles) {
      if (needle.next < start) {
        const next = block.indexOf(needle.bytes, start);
        needle.next = next === -1 ? Number.POSITIVE_INFINITY : next;
      }
      if (needle.next < end) found = true;
    }
    return found;
  }
}
