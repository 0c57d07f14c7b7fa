import type { IncomingMessage } from 'node:http';
import { type Exchange, type Gateway, NOTHING_SENT, type Refusal } from '@caracal/core';
import type { Connection, Connections } from './connections.js';
import { refuseOnSocket } from './refuse-on-socket.js';
import { requestHead } from './request-head.js';

/** Answers CONNECT, which Node hands over as a bare socket. The gateway is no tunnel: its first check refuses the method. */
export function refuseConnect(
  gateway: Gateway,
  req: IncomingMessage,
  connection: Connection,
  connections: Connections,
): void {
  const { socket, caller } = connection;
  // Node has taken its own listeners off this socket, and an error without any would end the process.
  socket.on('error', () => socket.destroy());
  const verdict = gateway.admit(requestHead(req, connections.peerOf(connection, req.rawHeaders)));
  // Behind a request that is not answered yet, the refusal would be taken for the answer to that one; and as Node has let
  // go of the socket, that one would never hear that its caller is gone.
  const say = caller === undefined ? refuseOnSocket : () => caller.breakOff();
  if ('then' in verdict)
    void verdict.then((settled) => answer(settled, (refusal) => say(socket, refusal))); // never rejects
  else answer(verdict, (refusal) => say(socket, refusal));
}

function answer(verdict: Refusal | Exchange, say: (refusal: Refusal) => void): void {
  if (verdict.kind === 'refusal') {
    say(verdict);
    return;
  }
  const refusal = verdict.refuse('invalid_request', 'connect');
  say(refusal);
  verdict.settle({
    ...NOTHING_SENT,
    outcome: 'refused',
    status: refusal.status,
    error: refusal.code,
    reason: 'connect',
  });
}
