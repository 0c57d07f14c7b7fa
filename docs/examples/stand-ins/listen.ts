import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Listens on loopback, at a port the system chooses unless one is given, and answers the server's URL. */
export function listen(server: Server, port = 0): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    });
  });
}
