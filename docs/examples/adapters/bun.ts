import type { Gateway } from '@caracal/core';
import { fetchHandler } from '@caracal/fetch';
import type { BunRuntime } from './runtime-types.js';

declare const Bun: BunRuntime;

/** A gateway behind Bun.serve. */
export function bunServer(gateway: Gateway, port: number) {
  const caracal = fetchHandler(gateway);
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port,
    fetch: (request, connections) => caracal(request, { peerAddress: connections.requestIP(request)?.address ?? '' }),
    idleTimeout: 255, // s, Bun's highest: an event stream may be silent for longer than the default of 10
    maxRequestBodySize: Number.MAX_SAFE_INTEGER, // each resource has a limit of its own
    development: false,
  });
  async function close(drainTimeoutMs: number) {
    const stopped = server.stop(); // accepts nothing more
    await gateway.close({ drainTimeoutMs });
    await server.stop(true);
    await stopped;
    await caracal.close();
  }
  return { port: server.port, close };
}
