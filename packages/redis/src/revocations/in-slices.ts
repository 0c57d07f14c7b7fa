import { setImmediate } from 'node:timers/promises';

/** Steps between two looks at anything else this process has to do. */
const SLICE = 2_000;

/** Takes each item, and lets the process do other things in between: a million revocations must not hold up requests. */
export async function inSlices<Item>(items: Iterable<Item>, take: (item: Item) => void): Promise<void> {
  let left = SLICE;
  for (const item of items) {
    take(item);
    if (--left > 0) continue;
    left = SLICE;
    await setImmediate();
  }
}
