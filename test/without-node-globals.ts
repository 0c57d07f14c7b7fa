import { afterAll, beforeAll } from 'vitest';

/**
 * Vitest's edge environment adds the edge runtime's globals and leaves Node's in place, so that code which reaches for
 * `Buffer` would still pass. Hidden while the tests of a file run. `process` has to stay: vitest itself writes to it.
 */
const NODE_GLOBALS = ['Buffer', 'require', 'global', 'setImmediate', 'clearImmediate'];

const hidden = new Map<string, PropertyDescriptor>();

beforeAll(() => {
  for (const name of NODE_GLOBALS) {
    const descriptor = Object.getOwnPropertyDescriptor(globalThis, name);
    if (descriptor === undefined) continue;
    hidden.set(name, descriptor);
    Object.defineProperty(globalThis, name, { configurable: true, writable: true, value: undefined });
  }
});

afterAll(() => {
  for (const [name, descriptor] of hidden) Object.defineProperty(globalThis, name, descriptor);
});
