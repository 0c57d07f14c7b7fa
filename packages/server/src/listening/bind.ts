import { chmod, lstat, unlink } from 'node:fs/promises';
import type { Server } from 'node:http';
import { type AddressInfo, connect, createServer, type Server as NetServer } from 'node:net';
import { type ListenAddress, originOf } from '../configuration/listen.js';

/** A listener could not be made, and what to do about it. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string | undefined;

  constructor(listener: string, address: ListenAddress, cause: unknown) {
    const { code } = cause as NodeJS.ErrnoException;
    const remedy = REMEDIES[code ?? ''] ?? `correct ${listener}.listen`;
    super(`${listener} cannot listen on ${originOf(address, false)} (${code ?? 'unknown'}); ${remedy}`, { cause });
    this.code = code;
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'end whoever listens there, or choose another address',
  EACCES: 'choose a port above 1023, or let this process use lower ones',
  EADDRNOTAVAIL: 'choose an address of this machine',
  ENOTFOUND: 'choose an address of this machine',
};

/** Makes a server listen. Answers the port that was bound; `undefined` for a socket in the file system. @throws ListenError */
export async function bind(listener: string, server: NetServer, address: ListenAddress): Promise<number | undefined> {
  try {
    if (address.kind === 'unix') await removeDeadSocket(address.path);
    await listening(server, address, true);
    if (address.kind === 'unix') await chmod(address.path, 0o660);
  } catch (cause) {
    throw new ListenError(listener, address, cause);
  }
  return address.kind === 'tcp' ? (server.address() as AddressInfo).port : undefined;
}

/** Makes the server of a worker listen where the other workers do. The process that started it has prepared the place. @throws ListenError */
export async function listenAsWorker(
  listener: string,
  server: Server,
  address: ListenAddress,
  port: number | undefined,
): Promise<void> {
  const shared = address.kind === 'tcp' && port !== undefined ? { ...address, port } : address;
  try {
    await listening(server, shared, false);
    if (address.kind === 'unix') await chmod(address.path, 0o660);
  } catch (cause) {
    throw new ListenError(listener, address, cause);
  }
}

/** For workers: removes a dead socket, finds a free port where any will do, and answers the port. @throws ListenError */
export async function preparePlace(listener: string, address: ListenAddress): Promise<number | undefined> {
  const server = createServer();
  const port = await bind(listener, server, address);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function listening(server: NetServer, address: ListenAddress, exclusive: boolean): Promise<void> {
  const where = address.kind === 'tcp' ? { host: address.host, port: address.port } : { path: address.path };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...where, exclusive }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

// A killed process leaves its socket behind; a living one answers on it. What is no socket is not ours to remove.
async function removeDeadSocket(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined); // told by listening
  if (stats?.isSocket()) await removeUnlessAlive(path);
}

function removeUnlessAlive(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(); // listening fails with EADDRINUSE
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED') unlink(path).then(resolve, reject);
      else resolve();
    });
  });
}
