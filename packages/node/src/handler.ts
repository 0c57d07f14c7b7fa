import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Gateway } from '@caracal/core';
import { type Application, type Attachment, serveApplication } from './attach.js';
import { Connections } from './connections.js';
import { checkHandlerOptions, type NodeHandlerOptions, transportOf } from './options.js';
import { requestListener } from './request-listener.js';
import { peerReader } from './trusted-proxies.js';

/** A request handler for `node:http` and for frameworks that take such handlers. */
export interface NodeHandler {
  (req: IncomingMessage, res: ServerResponse): void;
  /**
   * Makes a server serve an application that hands some of its requests to this handler: requests go to `application`, what
   * cannot be parsed is answered as the gateway does, and `100 Continue` waits until somebody reads the body (Node by itself
   * sends it before the mandate is checked). No other listener may answer. Make the server with `httpServerOptions()`.
   */
  attach(server: Server, application: Application): Attachment;
  /**
   * For the server's `checkContinue` event, where `attach` is not used. Without it Node sends `100 Continue` by itself,
   * before the mandate is checked.
   */
  readonly checkContinue: (req: IncomingMessage, res: ServerResponse) => void;
  /** Closes the transport, unless it was handed in; `drain` of an attachment does too. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes a handler that forwards what the gateway admits. Where a framework mounts it below a path and takes that off `req.url`,
 * what is left is judged and forwarded, byte for byte, and redirects lead through that path. Where a handler before it has
 * read the body, or changed `req.url` otherwise, requests are answered with 500 `internal_error` and the gateway's `onFault`
 * is told.
 * Prefer `attach` or `createServer`, which also answer what cannot be parsed, and drain.
 * @throws TypeError that names an unknown option
 */
export function nodeHandler(gateway: Gateway, options: NodeHandlerOptions = {}): NodeHandler {
  checkHandlerOptions(options);
  const connections = new Connections(peerReader(options.trustedProxies ?? []));
  const use = transportOf(options);
  const listen = requestListener(gateway, use.transport, connections);
  return Object.assign((req: IncomingMessage, res: ServerResponse) => listen(req, res, false), {
    attach: (server: Server, application: Application) =>
      serveApplication({ server, gateway, use, connections }, application),
    checkContinue: (req: IncomingMessage, res: ServerResponse) => listen(req, res, true),
    close: use.close,
  });
}
