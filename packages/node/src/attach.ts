import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import type { Gateway } from '@caracal/core';
import { listenForUpgrades } from './attach-upgrades.js';
import { onClientError } from './client-error.js';
import { refuseConnect } from './connect.js';
import { Connections } from './connections.js';
import { continueOnRead } from './continue-on-read.js';
import { type Drain, drainOnce, type Retire, retireOnce } from './drain.js';
import { checkHandlerOptions, type NodeHandlerOptions, type TransportUse, transportOf } from './options.js';
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

/** Answers requests of `node:http`. */
export type Application = (req: IncomingMessage, res: ServerResponse) => void;

/** What a server has to be told to serve a gateway. */
export interface Served {
  readonly server: Server;
  readonly gateway: Gateway;
  /** Without a transport WebSockets are not upgraded: they come as requests. */
  readonly use: Pick<TransportUse, 'close'> & Partial<TransportUse>;
  readonly connections: Connections;
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
  server.on('request', (req: IncomingMessage, res: ServerResponse) => listen(req, res, false));
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => listen(req, res, true));
  return serve({ server, gateway, use, connections }, (req, res) => listen(req, res, false));
}

/**
 * The same for a server whose application answers the requests and hands those that are the gateway's to a handler of its
 * own (`fetchHandler` under Hono, say; a `nodeHandler` has `attach`). `100 Continue` is sent when somebody reads the body,
 * not before the application has decided. `drain` closes the gateway too.
 */
export function attachApplication(server: Server, gateway: Gateway, application: Application): Attachment {
  const use = { close: () => Promise.resolve() };
  return serveApplication({ server, gateway, use, connections: new Connections(peerReader([])) }, application);
}

/** The same over the connections that a handler knows. */
export function serveApplication(served: Served, application: Application): Attachment {
  const { server, connections } = served;
  const answer: Application = (req, res) => {
    connections.of(req.socket).hold(res, connections);
    application(req, res);
  };
  server.on('request', answer);
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    continueOnRead(req, res);
    answer(req, res);
  });
  return serve(served, answer);
}

function serve({ server, gateway, use, connections }: Served, listen: Application): Attachment {
  // Node drops headers beyond this count without a word (0: none); the gateway's own limit answers instead.
  server.maxHeadersCount = 0;
  // Node's own sweep, part of `server.close()`, takes an answer that is ended but not yet written out for idle and cuts it.
  server.closeIdleConnections = () => connections.closeIdle();

  server.on('connection', (socket: Socket) => connections.opened(socket));
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    connections.of(socket);
  });
  server.on('checkExpectation', listen);
  server.on('connect', (req: IncomingMessage, socket: Socket) =>
    refuseConnect(gateway, req, connections.of(socket), connections),
  );
  if (use.transport !== undefined) listenForUpgrades(server, gateway, { transport: use.transport }, connections);
  server.on('clientError', (error: Error, socket: Socket) => onClientError(error, socket, connections));

  return {
    drain: drainOnce({ server, gateway, connections, closeTransport: use.close }),
    retire: retireOnce({ server, connections }),
  };
}
