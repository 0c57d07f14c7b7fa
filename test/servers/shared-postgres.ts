import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startPostgres, stopPostgres } from './postgres-server.mjs';

type Server = Awaited<ReturnType<typeof startPostgres>>;

/** Starts the run's server, or waits until another test file has. */
export async function sharedPostgres(home: string): Promise<Server> {
  const ready = join(home, 'postgres.json');
  try {
    await mkdir(join(home, 'postgres-starting'));
  } catch {
    return await waitFor(ready);
  }
  const started = await startShared(home).catch((cause: Error) => ({ failed: cause.message }));
  await writeFile(`${ready}.new`, JSON.stringify(started), { mode: 0o600 });
  await rename(`${ready}.new`, ready);
  return await waitFor(ready);
}

async function startShared(home: string): Promise<Server> {
  await chmod(home, 0o711); // the server runs as nobody
  return await startPostgres({ home: join(home, 'postgres') });
}

async function waitFor(ready: string): Promise<Server> {
  for (;;) {
    const text = await readFile(ready, 'utf8').catch(() => undefined);
    if (text === undefined) {
      await pause(50);
      continue;
    }
    const server = JSON.parse(text);
    if (server.failed !== undefined) throw new Error(server.failed);
    return server;
  }
}

/** Stops the run's server, if one was started. */
export async function stopSharedPostgres(home: string): Promise<void> {
  const text = await readFile(join(home, 'postgres.json'), 'utf8').catch(() => undefined);
  const server = text === undefined ? undefined : JSON.parse(text);
  if (server?.home !== undefined) await stopPostgres(server);
}
