import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import type { Gateway } from '@caracal/core';
import { listenForUpgrades } from './attach-upgrades.js';
import { onClientError } from './client-error.js';
import { refuseConnect } from './connect.js';
import { Connections } from './connections.js';
import { type Drain, drainOnce, type Retire, retireOnce } from './drain.js';
import { checkHandlerOptions, type NodeHandlerOptions, transportOf } from './options.js';
import { requestListener } from './request-listener.js';
import { peerReader } from './trusted-proxies.js';

/** A server that serves a gateway. */
export interface Attachment {
  /**
   * Stops accepting, closes idle connections at once, lets exchanges under way finish until `timeoutMs` (default 30 s)
   * is over, cuts the rest, and closes the gateway, the server and the transport (unless it was handed in). Idempotent:
   * a later call waits for the first.
   */
  readonly drain: Drain;
  /**
   * Stops accepting where another server accepts on: connections that are open stay for one more request each, whose answer
   * says `Connection: close`, so that no caller meets a closed one. Resolves when none is left or `timeoutMs` is over; then `drain`.
   */
  readonly retire: Retire;
}

/**
 * Makes an HTTP or HTTPS server serve a gateway: it answers every request, and what is none. No other listener may
 * answer. Make the server with `httpServerOptions()`.
 *
 * WebSockets are judged like any request; where one asks for another protocol (h2c) it is served as if it had not asked.
 * @throws TypeError that names an unknown option
 */
export function attach(server: Server, gateway: Gateway, options: NodeHandlerOptions = {}): Attachment {
  checkHandlerOptions(options);
  const connections = new Connections(peerReader(options.trustedProxies ?? []));
  const use = transportOf(options);
  const listen = requestListener(gateway, use.transport, connections);

  // Node drops headers beyond this count without a word (0: none); the gateway's own limit answers instead.
  server.maxHeadersCount = 0;
  // Node's own sweep, part of `server.close()`, takes an answer that is ended but not yet written out for idle and cuts it.
  server.closeIdleConnections = () => connections.closeIdle();

  server.on('connection', (socket: Socket) => connections.opened(socket));
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    connections.of(socket);
  });
  server.on('request', (req: IncomingMessage, res: ServerResponse) => listen(req, res, false));
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => listen(req, res, true));
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => listen(req, res, false));
  server.on('connect', (req: IncomingMessage, socket: Socket) =>
    refuseConnect(gateway, req, connections.of(socket), connections),
  );
  listenForUpgrades(server, gateway, use, connections);
  server.on('clientError', (error: Error, socket: Socket) => onClientError(error, socket, connections));

  return {
    drain: drainOnce({ server, gateway, connections, closeTransport: use.close }),
    retire: retireOnce({ server, connections }),
  };
}
