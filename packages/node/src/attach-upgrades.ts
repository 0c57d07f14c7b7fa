import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Gateway, Transport } from '@caracal/core';
import { Connections } from './connections.js';
import { checkUpgradeOptions, type NodeHandlerOptions } from './options.js';
import { serveUnupgraded } from './other-upgrade.js';
import { asksForWebSocket } from './request-head.js';
import { peerReader } from './trusted-proxies.js';
import { upgradeListener } from './upgrade-listener.js';

/** Options of {@link attachUpgrades}. */
export interface UpgradeOptions extends NodeHandlerOptions {
  /** How bytes reach the upstreams: the handler's own transport; its owner closes it. */
  readonly transport: Transport<Readable>;
  /** Whether an upgrade is the gateway's; others are left to the server's other `upgrade` listeners. Default: every one. */
  readonly accepts?: (req: IncomingMessage) => boolean;
}

/** Since Node 22 a server asks before it takes a request for an upgrade. */
interface AskingServer {
  shouldUpgradeCallback?: (req: IncomingMessage) => boolean;
}

/**
 * Has a server's WebSockets decided by the gateway, where a framework answers its requests: frameworks do not see upgrades.
 * `attach` and `createServer` do this by themselves. Requests that ask for another protocol stay ordinary requests.
 * @throws TypeError that names an unknown option, or the one that is missing
 */
export function attachUpgrades(server: Server, gateway: Gateway, options: UpgradeOptions): void {
  checkUpgradeOptions(options);
  listenForUpgrades(server, gateway, options, new Connections(peerReader(options.trustedProxies ?? [])));
}

/** The same, with the connections known already. */
export function listenForUpgrades(
  server: Server,
  gateway: Gateway,
  { transport, accepts = () => true }: Pick<UpgradeOptions, 'transport' | 'accepts'>,
  connections: Connections,
): void {
  const listen = upgradeListener(gateway, transport, connections);
  const asking = server as AskingServer;
  const others = asking.shouldUpgradeCallback;
  if (others !== undefined) {
    asking.shouldUpgradeCallback = (req) => (accepts(req) ? asksForWebSocket(req) : others.call(server, req));
  }
  server.on('upgrade', (req: IncomingMessage, socket: Socket, head: Buffer) => {
    if (!accepts(req)) return;
    const connection = connections.of(socket);
    // Behind a request that is not answered yet, the answer would be taken for the answer to that one. And nothing is served
    // after an answer that was said to be the last.
    if (connection.last || connection.caller !== undefined || isAnswering(socket)) {
      socket.on('error', () => socket.destroy());
      if (connection.caller === undefined) socket.destroy();
      else connection.caller.breakOff();
    } else if (asksForWebSocket(req)) {
      listen(req, connection, head);
    } else {
      connection.last = true;
      serveUnupgraded(server, req, socket, head);
    }
  });
}

/** Whether an answer is still under way on a connection, which may be a framework's. Node keeps it there, and nowhere else. */
function isAnswering(socket: Socket): boolean {
  return Boolean((socket as { readonly _httpMessage?: unknown })._httpMessage);
}
