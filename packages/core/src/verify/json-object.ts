/** A parsed JSON object nobody has checked. Read it with {@link own}. */
export type JsonObject = Readonly<Record<string, unknown>>;

// Bad UTF-8 is an error and not U+FFFD, and a byte order mark stays in the text, where JSON.parse refuses it.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes strict UTF-8 and parses it as JSON; `undefined` for anything but an object. @see RFC 7515 section 5.2 */
export function parseJsonObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(UTF8.decode(bytes));
    return isJsonObject(value) ? value : undefined;
  } catch {
    // Whatever is wrong with it, the answer is the same, and the error's text would quote what the caller sent.
    return undefined;
  }
}

/** Whether the value is an object and neither an array nor null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A member of the object itself. A plain read would also find what `Object.prototype` holds, `constructor` or what a
 * polluted prototype adds.
 */
export function own(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
