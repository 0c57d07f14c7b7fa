import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A proxy in front of a server that can take the network away. */
export interface CuttingProxy {
  readonly port: number;
  /** What is open is cut, and what comes is refused, until `restore`. */
  cut(): void;
  /** What is open hangs: nothing passes, and no end is told, until `restore` cuts it. */
  swallow(): void;
  restore(): void;
  /** What is open hangs for good, and what comes from now on passes: a connection that was cut without a word. */
  forget(): void;
  /** The next answer to a COMMIT is not passed on: both sides are cut, after the server has committed. */
  cutAfterCommit(): void;
  /** How often that has happened. */
  readonly commitsCut: number;
  close(): Promise<void>;
}

const COMMITTED = Buffer.from('COMMIT\0');

/** Starts a proxy on loopback in front of a port of loopback. */
export async function cuttingProxy(serverPort: number): Promise<CuttingProxy> {
  const open = new Set<Socket>();
  let epoch = 0;
  let state: 'passing' | 'cut' | 'swallowing' = 'passing';
  let cutCommit = false;
  let commitsCut = 0;
  const server = createServer((client) => {
    if (state === 'cut') return void client.destroy();
    const upstream = connect(serverPort, '127.0.0.1');
    const both = [client, upstream];
    const since = epoch;
    const passes = () => state === 'passing' && since === epoch;
    const end = () => {
      for (const socket of both) {
        open.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of both) {
      open.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (chunk) => passes() && upstream.write(chunk));
    upstream.on('data', (chunk) => {
      if (!passes()) return;
      if (cutCommit && chunk.includes(COMMITTED)) {
        cutCommit = false;
        commitsCut++;
        end();
      } else client.write(chunk);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cutAll = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      state = 'cut';
      cutAll();
    },
    swallow: () => {
      state = 'swallowing';
    },
    restore: () => {
      if (state === 'swallowing') cutAll();
      state = 'passing';
    },
    forget: () => {
      epoch++;
    },
    cutAfterCommit: () => {
      cutCommit = true;
    },
    get commitsCut() {
      return commitsCut;
    },
    close: async () => {
      cutAll();
      server.close();
      await once(server, 'close');
    },
  };
}
