import { stat } from 'node:fs/promises';

/** How often watched files are looked at, ms. */
export const WATCH_INTERVAL_MS = 1_000;

/**
 * Calls `onChange` when one of the files has changed and then stayed as it is from one look to the next. It looks at what
 * the names lead to, so that a replaced file, and one behind a link that is moved, count; what is missing is awaited.
 *
 * @returns what ends it
 */
export function watchFiles(
  files: readonly string[],
  onChange: () => void,
  intervalMs: number = WATCH_INTERVAL_MS,
): () => void {
  let known: string | undefined;
  let seen: string | undefined;
  let stopped = false;
  const look = async (): Promise<void> => {
    const now = (await Promise.all(files.map(stampOf))).join('\n');
    if (stopped) return;
    known ??= now;
    // Changed, and no longer being written.
    if (now !== known && now === seen) {
      known = now;
      onChange();
    }
    seen = now;
    timer = setTimeout(() => void look(), intervalMs).unref();
  };
  let timer = setTimeout(() => {}, 0);
  clearTimeout(timer);
  void look(); // never rejects
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

async function stampOf(file: string): Promise<string> {
  try {
    const { mtimeMs, ctimeMs, size, ino } = await stat(file);
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  } catch {
    return 'missing'; // it may come back
  }
}
