import { type Context, ROOT_CONTEXT } from '@opentelemetry/api';

/**
 * A context that says one thing and asks the one it comes from for the rest. The API's own copies a map and makes three closures each
 * time, which is dear for a span that has one parent and, at most, one child.
 */
export class LinkedContext implements Context {
  readonly #parent: Context;
  readonly #key: symbol | undefined;
  readonly #value: unknown;

  constructor(parent: Context, key?: symbol, value?: unknown) {
    this.#parent = parent;
    this.#key = key;
    this.#value = value;
  }

  getValue(key: symbol): unknown {
    return key === this.#key ? this.#value : this.#parent.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return new LinkedContext(this, key, value);
  }

  deleteValue(key: symbol): Context {
    return new LinkedContext(this, key, undefined);
  }
}

/** Says nothing. */
export const LINKED_ROOT: Context = new LinkedContext(ROOT_CONTEXT);
