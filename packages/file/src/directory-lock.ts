import { randomUUID } from 'node:crypto';
import { chmod, type FileHandle, link, mkdir, open, readdir, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';

/** Another process, or this one, owns the directory. */
export class DirectoryLockedError extends Error {
  override readonly name = 'DirectoryLockedError';
  readonly code = 'directory_locked';
  readonly directory: string;

  constructor(directory: string) {
    super(`${directory} is in use by a running process; stop it first, or choose another directory`);
    this.directory = directory;
  }
}

/** A directory's owner. */
export interface DirectoryLock {
  /** Gives the directory up. */
  release(): Promise<void>;
}

const LOCK_DIRECTORY = 'lock';
const LOCK_NAME = /^owner\.(\d+)$/;
/** Locks of former owners that stay: see {@link lockDirectory}. */
const KEPT = 8;
const ATTEMPTS = 32;
/** Faults of the directory, not of its file system's sockets. */
const SAYS_ITSELF: ReadonlySet<string | undefined> = new Set(['EROFS', 'EACCES']);
/** `sun_path` holds 108 bytes on Linux and 104 on BSD and macOS. */
const MAX_SOCKET_PATH = 90;

/**
 * Makes this process the owner of a directory, or throws {@link DirectoryLockedError}.
 *
 * The lock is a listening Unix socket. The kernel closes it with the process however that ends, so a killed owner leaves
 * nothing behind that could be mistaken for a living one: no process id that was given out again, no other namespace of a
 * container, no clock. A stopped process still owns its directory, for the kernel still accepts its connections.
 *
 * Two owners are impossible. Owners take numbers, and a number is taken by `link(2)`, which fails where the name exists.
 * Whoever finds that the highest number is dead links the next; of two who do, one fails and finds the other alive. The
 * socket listens before it gets that name, so there is no moment at which a living owner looks dead. The highest number
 * is never removed, so numbers never come back: someone who was suspended between looking and linking finds a
 * higher number than his own afterwards, and gives up.
 *
 * A local file system is required: over a network the sockets of another machine look dead.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const locks = join(directory, LOCK_DIRECTORY);
  await mkdir(locks, { recursive: true, mode: 0o700 });
  const folder = await open(locks, 'r');
  const base = socketBase(locks, folder);
  const draft = `draft.${randomUUID()}`;
  const server = await listen(join(base, draft)).catch(async (cause: unknown) => {
    await folder.close();
    if (SAYS_ITSELF.has((cause as NodeJS.ErrnoException).code)) throw cause;
    throw new Error(`${locks}: no Unix socket can be made there; the directory must be on a local file system`, {
      cause,
    });
  });
  try {
    await chmod(join(locks, draft), 0o600);
    const number = await takeNumber(directory, base, join(locks, draft));
    await removeFormer(locks, number, draft);
  } catch (cause) {
    await close(server, folder);
    throw cause;
  }
  let released: Promise<void> | undefined;
  return {
    release: () => {
      released ??= close(server, folder);
      return released;
    },
  };
}

/** Whether some process owns the directory now. */
export async function isDirectoryLocked(directory: string): Promise<boolean> {
  const locks = join(directory, LOCK_DIRECTORY);
  let folder: FileHandle;
  try {
    folder = await open(locks, 'r');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw cause;
  }
  try {
    const highest = await highestNumber(locks);
    return highest > 0 && (await isAlive(join(socketBase(locks, folder), `owner.${highest}`)));
  } finally {
    await folder.close();
  }
}

async function takeNumber(directory: string, base: string, draft: string): Promise<number> {
  const locks = join(directory, LOCK_DIRECTORY);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const highest = await highestNumber(locks);
    if (highest > 0 && (await isAlive(join(base, `owner.${highest}`)))) throw new DirectoryLockedError(directory);
    const own = highest + 1;
    try {
      await link(draft, join(locks, `owner.${own}`));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw cause;
    }
    if ((await highestNumber(locks)) === own) return own;
    await unlink(join(locks, `owner.${own}`)).catch(() => {}); // a newer owner may have tidied it up
  }
  throw new DirectoryLockedError(directory);
}

async function highestNumber(locks: string): Promise<number> {
  let highest = 0;
  for (const name of await readdir(locks)) highest = Math.max(highest, numberOf(name));
  return highest;
}

function numberOf(name: string): number {
  const match = LOCK_NAME.exec(name);
  return match === null ? 0 : Number(match[1]);
}

// A few former locks stay, so that a directory listing made while owners change cannot miss every higher number.
async function removeFormer(locks: string, own: number, draft: string): Promise<void> {
  for (const name of await readdir(locks)) {
    const number = numberOf(name);
    if (name === draft || (number > 0 && number <= own - KEPT)) await unlink(join(locks, name));
  }
}

// A socket's address is short; a directory's path may not be. Linux reaches an open directory by a short name.
function socketBase(locks: string, folder: FileHandle): string {
  if (Buffer.byteLength(locks) + 44 <= MAX_SOCKET_PATH) return locks;
  if (process.platform === 'linux') return `/proc/self/fd/${folder.fd}`;
  throw new TypeError(`${locks}: the path is too long for a lock; choose a directory with a shorter one`);
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    // `exclusive`: in a cluster worker the primary would listen, and outlive the owner.
    server.listen({ path, exclusive: true }, () => {
      server.off('error', reject);
      server.on('error', () => {}); // one connection could not be accepted: the lock holds all the same
      server.unref();
      resolve(server);
    });
  });
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ECONNREFUSED' || cause.code === 'ENOENT') resolve(false);
      else if (cause.code === 'EAGAIN' || cause.code === 'ECONNRESET') resolve(true);
      else reject(cause);
    });
  });
}

async function close(server: Server, folder: FileHandle): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
  await folder.close();
}
