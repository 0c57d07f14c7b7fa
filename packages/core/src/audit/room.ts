/**
 * How many records may be on their way to the sink. Admission reserves for both of its records before anything goes
 * upstream, so that evidence is never what runs out; refusals may use a quarter at most, so that a flood of them costs
 * good traffic nothing.
 */
export class Room {
  readonly #capacity: number;
  readonly #refusalCapacity: number;
  #reserved = 0;
  #refusals = 0;

  /** `capacity`: records. */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 8)
      throw new TypeError('audit.room must be an integer of 8 or more');
    this.#capacity = capacity;
    this.#refusalCapacity = Math.floor(capacity / 4);
  }

  /** Room for `count` records of one admitted request, or `false`. */
  reserve(count: number): boolean {
    if (this.#reserved + this.#refusals + count > this.#capacity) return false;
    this.#reserved += count;
    return true;
  }

  release(count: number): void {
    this.#reserved -= count;
  }

  /** Room for the record of one refusal, or `false`. */
  reserveRefusal(): boolean {
    if (this.#refusals >= this.#refusalCapacity || this.#reserved + this.#refusals >= this.#capacity) return false;
    this.#refusals += 1;
    return true;
  }

  releaseRefusal(): void {
    this.#refusals -= 1;
  }

  /** Records on their way. */
  get used(): number {
    return this.#reserved + this.#refusals;
  }
}
