import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Exchange, Gateway, Refusal } from '@caracal/core';
import { refuseOnSocket } from './refuse-on-socket.js';
import { requestHead } from './request-head.js';

/** Answers CONNECT, which Node hands over as a bare socket. The gateway is no tunnel: its first check refuses the method. */
export function refuseConnect(gateway: Gateway, req: IncomingMessage, socket: Socket): void {
  // Node has taken its own listeners off this socket, and an error without any would end the process.
  socket.on('error', () => socket.destroy());
  const verdict = gateway.admit(requestHead(req, { address: socket.remoteAddress ?? '' }));
  if ('then' in verdict)
    void verdict.then((settled) => answer(settled, socket)); // never rejects
  else answer(verdict, socket);
}

function answer(verdict: Refusal | Exchange, socket: Socket): void {
  if (verdict.kind === 'refusal') {
    refuseOnSocket(socket, verdict);
    return;
  }
  const refusal = verdict.refuse('invalid_request', 'connect');
  refuseOnSocket(socket, refusal);
  verdict.settle({
    outcome: 'refused',
    status: refusal.status,
    upstreamStatus: undefined,
    requestBytes: 0,
    responseBytes: 0,
    firstByteMs: undefined,
    attempts: 0,
    error: refusal.code,
    reason: 'connect',
  });
}
