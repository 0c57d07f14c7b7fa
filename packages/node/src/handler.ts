import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Gateway } from '@caracal/core';
import { Connections } from './connections.js';
import { checkHandlerOptions, type NodeHandlerOptions, transportOf } from './options.js';
import { requestListener } from './request-listener.js';
import { peerReader } from './trusted-proxies.js';

/** A request handler for `node:http` and for frameworks that take such handlers. */
export interface NodeHandler {
  (req: IncomingMessage, res: ServerResponse): void;
  /**
   * For the server's `checkContinue` event. Without it Node sends `100 Continue` by itself, before the mandate is
   * checked.
   */
  readonly checkContinue: (req: IncomingMessage, res: ServerResponse) => void;
  /** Closes the transport, unless it was handed in. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes a handler that forwards what the gateway admits. Nothing may read the request's body before it.
 * Prefer `attach` or `createServer`, which also answer what cannot be parsed, and drain.
 * @throws TypeError that names an unknown option
 */
export function nodeHandler(gateway: Gateway, options: NodeHandlerOptions = {}): NodeHandler {
  checkHandlerOptions(options);
  const connections = new Connections(peerReader(options.trustedProxies ?? []));
  const { transport, close } = transportOf(options);
  const listen = requestListener(gateway, transport, connections);
  return Object.assign((req: IncomingMessage, res: ServerResponse) => listen(req, res, false), {
    checkContinue: (req: IncomingMessage, res: ServerResponse) => listen(req, res, true),
    close,
  });
}
