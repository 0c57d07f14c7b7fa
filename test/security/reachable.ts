import { types } from 'node:util';

/** Objects that are looked at; a walk that would see more has left what it is about. */
const MAX_OBJECTS = 200_000;

/**
 * Every text and every run of bytes that can be reached from these roots without the means of a debugger: all own properties, hidden ones
 * and symbols too, getters, prototypes that are not the language's own, and what maps, sets and errors hold.
 */
export function reachableTexts(...roots: unknown[]): string {
  const texts: string[] = [];
  const seen = new Set<object>();
  const waiting: unknown[] = [...roots];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value === 'string') texts.push(value);
    if (typeof value === 'symbol' && value.description !== undefined) texts.push(value.description);
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue;
    if (isOfTheLanguage(value)) continue;
    seen.add(value);
    if (seen.size > MAX_OBJECTS) throw new Error('more objects can be reached than there should be');
    if (types.isUint8Array(value))
      texts.push(Buffer.from(value).toString('latin1'), Buffer.from(value).toString('hex'));
    if (types.isMap(value)) waiting.push(...value.keys(), ...value.values());
    if (types.isSet(value)) waiting.push(...value);
    for (const key of types.isTypedArray(value) ? [] : Reflect.ownKeys(value)) {
      texts.push(String(key));
      waiting.push(valueAt(value, key));
    }
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (prototype === null || isOfTheLanguage(prototype)) continue;
    for (const key of Reflect.ownKeys(prototype)) {
      if (Object.getOwnPropertyDescriptor(prototype, key)?.get !== undefined) waiting.push(valueAt(value, key));
    }
  }
  return texts.join('\n');
}

function valueAt(holder: object, key: string | symbol): unknown {
  try {
    return Reflect.get(holder, key);
  } catch (cause) {
    return cause; // what a getter throws can be seen too
  }
}

const LANGUAGE = new Set<unknown>(
  [globalThis, process, console, ...Object.getOwnPropertyNames(globalThis).map((name) => Reflect.get(globalThis, name))]
    .filter((value) => typeof value === 'function' || typeof value === 'object')
    .flatMap((value) => [value, typeof value === 'function' ? value.prototype : undefined]),
);

function isOfTheLanguage(value: object): boolean {
  return LANGUAGE.has(value);
}
