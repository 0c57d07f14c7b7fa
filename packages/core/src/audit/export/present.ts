/** The members that have a value: `undefined` is absent in JSON, and must not overwrite what is there. */
export function present<T extends object>(members: T): Partial<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>;
}
