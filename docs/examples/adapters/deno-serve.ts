import type { Gateway } from '@caracal/core';
import { denoHandler } from '@caracal/deno';
import type { DenoRuntime } from './runtime-types.js';

declare const Deno: DenoRuntime;

/** A gateway behind Deno.serve. Where you can, use `createServer` of @caracal/deno instead: it sees the request as it came. */
export function denoServer(gateway: Gateway, port: number) {
  const caracal = denoHandler(gateway);
  const server = Deno.serve({ hostname: '127.0.0.1', port, onListen() {} }, caracal);
  async function close(drainTimeoutMs: number) {
    const stopped = server.shutdown(); // accepts nothing more
    await gateway.close({ drainTimeoutMs });
    await stopped;
    await caracal.close();
  }
  return { port: server.addr.port, close };
}
