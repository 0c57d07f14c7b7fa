/** A secret in memory. It shows itself to `reveal()` alone: not to text, JSON, inspection or spreading. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    if (value === '') throw new TypeError('A secret is not empty');
    this.#value = value;
  }

  /** The value, to be put on the wire at once and kept nowhere. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }

  [Symbol.for('Deno.customInspect')](): string {
    return '[secret]';
  }
}
