import { type Gateway, refuseUnknownOptions, type Transport } from '@caracal/core';
import { type FetchHandler, type FetchInfo, fetchHandler } from '@caracal/fetch';
import { undiciTransport, webBodies } from '@caracal/transport';

/** What Deno.serve tells of a connection, by structure. */
export interface DenoInfo {
  readonly remoteAddr: object;
}

/** Options of {@link denoHandler}. */
export interface DenoHandlerOptions {
  /** How bytes reach the upstreams; its owner closes it. Default: `webBodies(undiciTransport())` of the handler's own. */
  readonly transport?: Transport<ReadableStream<Uint8Array>>;
}

/** A handler for Deno.serve. Its promise never rejects. */
export interface DenoHandler {
  (request: Request, info: DenoInfo): Promise<Response>;
  /** Closes the transport, unless it was handed in. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes a handler for `Deno.serve` that forwards what the gateway admits. It shows less of a request than `createServer` of
 * this package, which is `node:http` on Deno, does: see docs/adapters.md before you choose it. No upgrade passes here: Deno
 * takes a wrong accept key for a right one. HTTP/2 is refused (400): its requests have no Host.
 * @throws TypeError that names an unknown option
 */
export function denoHandler(gateway: Gateway, options: DenoHandlerOptions = {}): DenoHandler {
  refuseUnknownOptions('denoHandler', options, ['transport']);
  const own = options.transport === undefined ? webBodies(undiciTransport()) : undefined;
  const handler: FetchHandler = fetchHandler(gateway, { transport: options.transport ?? own! });
  return Object.assign((request: Request, info: DenoInfo) => handler(request, fetchInfo(info)), {
    close: async () => own?.close(),
  });
}

/** What the fetch adapter wants to know. A Unix socket has no address. */
export function fetchInfo({ remoteAddr }: DenoInfo): FetchInfo {
  const { hostname } = remoteAddr as { readonly hostname?: unknown };
  return typeof hostname === 'string' ? { peerAddress: hostname } : {};
}
