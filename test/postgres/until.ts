import { setTimeout as pause } from 'node:timers/promises';

const PATIENCE_MS = 25_000;

/** Waits until something is so; a machine may be slow. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const startedAt = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startedAt > PATIENCE_MS) throw new Error(`not so in ${PATIENCE_MS} ms: ${what}`);
    await pause(20);
  }
}
