import { connect, createServer, type Socket } from 'node:net';

/** A wire to a server of loopback that can be cut: what goes through it is lost, and nobody is told. */
export interface Wire {
  readonly port: number;
  /** Connections that are open stay open and carry nothing ever again; new ones are taken and carry nothing until it is mended. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

/** Lays a wire to this port. */
export async function layWire(port: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    keep(near);
    if (isCut) return;
    const far = connect(port, '127.0.0.1');
    keep(far);
    near.pipe(far).pipe(near);
    far.on('close', () => near.destroy());
    near.on('close', () => far.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  function keep(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => undefined); // a server that is killed resets
    socket.on('close', () => sockets.delete(socket));
  }

  return {
    port: (server.address() as { port: number }).port,
    cut: () => {
      isCut = true;
      for (const socket of sockets) {
        socket.unpipe();
        socket.resume(); // what arrives is lost
      }
    },
    mend: () => {
      isCut = false;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
