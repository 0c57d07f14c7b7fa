import { chmod, mkdir, stat } from 'node:fs/promises';
import type { Log } from '../log/log.js';

/** Modes of everybody but the owner. */
const OTHERS = 0o077;

/**
 * Makes a directory for its owner alone (0700). One that is there keeps its modes, because others may have been meant (a
 * mounted volume is often open to its group, and nobody else is in a container); the log says that it is open.
 */
export async function privateDirectory(directory: string, log: Log): Promise<void> {
  if ((await mkdir(directory, { recursive: true, mode: 0o700 })) !== undefined) return await chmod(directory, 0o700);
  if (process.platform === 'win32') return; // whose access lists no mode tells
  const { mode } = await stat(directory);
  if ((mode & OTHERS) === 0) return;
  const modes = (mode & 0o777).toString(8).padStart(4, '0');
  log({
    level: 'warn',
    event: 'state_directory_open',
    message:
      `${directory} is open to others than its owner (mode ${modes}): who can write there can put keys and evidence in place ` +
      'of its own; chmod 700 it',
    mode: modes,
  });
}
