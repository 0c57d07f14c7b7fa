import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { drive, type Exchange, type Gateway, type Refusal, type Transport } from '@caracal/core';
import type { Connection, Connections } from './connections.js';
import { requestHead } from './request-head.js';
import { GONE_BEFORE_FORWARDING } from './request-listener.js';
import { NodeUpgradeCaller } from './upgrade-caller.js';

/** Serves a request that asks for a WebSocket, whose socket Node has let go of. `head`: what came behind it. */
export type UpgradeListener = (req: IncomingMessage, connection: Connection, head: Uint8Array) => void;

/** Makes the listener that has each asked-for WebSocket decided, and what is admitted driven. */
export function upgradeListener(
  gateway: Gateway,
  transport: Transport<Readable>,
  connections: Connections,
): UpgradeListener {
  return (req, connection, head) => {
    const caller = new NodeUpgradeCaller(req, head, connection, connections);
    const verdict = gateway.admit(requestHead(req, connections.peerOf(connection, req.rawHeaders), caller));
    if ('then' in verdict)
      void verdict.then((settled) => proceed(settled, caller)); // never rejects
    else proceed(verdict, caller);
  };

  function proceed(verdict: Refusal | Exchange, caller: NodeUpgradeCaller): void {
    if (verdict.kind === 'refusal') caller.refuse(verdict);
    else if (caller.gone) verdict.settle(GONE_BEFORE_FORWARDING);
    else caller.follow(drive(verdict, transport, caller));
  }
}
