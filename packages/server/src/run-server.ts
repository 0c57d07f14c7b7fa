import { jsonLine } from '@caracal/core';
import type { RunningServer } from './caracal-server.js';
import type { LoadedConfiguration } from './configuration/load-configuration.js';
import { deferred } from './deferred.js';
import { watchFiles } from './listening/file-watch.js';
import { type StartOptions, startServer } from './server.js';

/** Options of {@link runServer}. */
export interface RunOptions extends StartOptions {
  /** Told once the server listens. */
  readonly onStart?: (server: RunningServer) => void;
}

/**
 * Runs a server until the process is told to stop: one JSON line a listener on standard output once it accepts; SIGHUP or a
 * changed file reloads; SIGTERM or SIGINT drains, a second one ends at once.
 *
 * @throws what {@link startServer} throws
 */
export async function runServer(loaded: LoadedConfiguration, options: RunOptions = {}): Promise<void> {
  const { stdout = process.stdout, onStart } = options;
  const stop = deferred<void>();
  const onStop = (): void => stop.resolve();
  // From before the start on: a signal that comes during it is not lost.
  process.once('SIGTERM', onStop).once('SIGINT', onStop);
  let server: RunningServer | undefined;
  const onReload = (): void => void server?.reload(); // never rejects, and tells of itself in the log
  process.on('SIGHUP', onReload);
  let unwatch = (): void => {};
  try {
    const running = await startServer(loaded, options);
    server = running;
    if (loaded.file !== undefined) unwatch = watchFiles([loaded.file], onReload);
    for (const listener of running.listeners) stdout.write(`${jsonLine({ event: 'listening', ...listener })}\n`);
    onStart?.(running);
    await stop.promise;
    await running.close();
  } finally {
    unwatch();
    process.off('SIGHUP', onReload).off('SIGTERM', onStop).off('SIGINT', onStop);
  }
}
