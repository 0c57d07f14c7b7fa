import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';

/** So many ports of loopback in a row from `first`, or, where one of them is taken or `first` is 0, any that are free. */
export async function freePorts(first: number, count: number): Promise<readonly number[]> {
  const wanted = Array.from({ length: count }, (_, index) => (first === 0 ? 0 : first + index));
  try {
    return await bound(wanted);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    return bound(wanted.map(() => 0));
  }
}

// All are held until all are known: so none is given out twice.
async function bound(wanted: readonly number[]): Promise<readonly number[]> {
  const servers = wanted.map(() => createServer());
  try {
    const ports: number[] = [];
    for (const [index, server] of servers.entries()) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ port: wanted[index], host: '127.0.0.1', exclusive: true }, () => resolve());
      });
      ports.push((server.address() as AddressInfo).port);
    }
    return ports;
  } finally {
    await Promise.all(servers.map((server) => server.listening && new Promise((resolve) => server.close(resolve))));
  }
}
