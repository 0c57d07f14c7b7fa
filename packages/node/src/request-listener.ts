import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { drive, type Exchange, type Gateway, type Refusal, type Settlement, type Transport } from '@caracal/core';
import type { Connection, Connections } from './connections.js';
import { NodeCaller } from './node-caller.js';
import { announcesBody, requestHead } from './request-head.js';

/** Pipelined requests that may wait on one connection. A caller that sends more loses the connection. */
export const MAX_PIPELINED_REQUESTS = 64;

/** Of an exchange whose caller went away while it was decided on. */
export const GONE_BEFORE_FORWARDING: Settlement = Object.freeze({
  outcome: 'client_aborted',
  status: undefined,
  upstreamStatus: undefined,
  requestBytes: 0,
  responseBytes: 0,
  firstByteMs: undefined,
  attempts: 0,
  error: undefined,
  reason: 'gone_before_forwarding',
});

/** Serves requests; `expectsContinue` where the caller waits for `100 Continue` and has not been sent it. */
export type RequestListener = (req: IncomingMessage, res: ServerResponse, expectsContinue: boolean) => void;

/** Makes the listener that has each request decided, and what is admitted driven. */
export function requestListener(
  gateway: Gateway,
  transport: Transport<Readable>,
  connections: Connections,
): RequestListener {
  function listen(req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
    const connection = connections.of(req.socket);
    if (res.socket !== null) begin(req, res, connection, expectsContinue);
    else awaitTurn(req, res, connection, expectsContinue);
  }

  /**
   * A pipelined request is not looked at before the one ahead of it is answered: its effects come after that one's, and
   * its answer needs no memory (RFC 9112 section 9.3.2).
   */
  function awaitTurn(
    req: IncomingMessage,
    res: ServerResponse,
    connection: Connection,
    expectsContinue: boolean,
  ): void {
    connection.waiting += 1;
    if (connection.waiting > MAX_PIPELINED_REQUESTS) {
      connection.socket.destroy();
      return;
    }
    // Node is still busy with the change of turns when it emits this.
    res.once('socket', () =>
      process.nextTick(() => {
        connection.waiting -= 1;
        // Left over from the answer ahead; between two answers Node does not replace it.
        connection.socket.setTimeout(0);
        begin(req, res, connection, expectsContinue);
      }),
    );
  }

  function begin(req: IncomingMessage, res: ServerResponse, connection: Connection, expectsContinue: boolean): void {
    // Once `Connection: close` was said nothing more is served on a connection (RFC 9112 section 9.6).
    if (!connection.socket.writable) return;
    const caller = new NodeCaller(req, res, announcesBody(req.rawHeaders) ? req : null, connection, connections);
    const verdict = gateway.admit(requestHead(req, connections.peerOf(connection, req.rawHeaders)));
    if ('then' in verdict)
      void verdict.then((settled) => proceed(settled, caller, expectsContinue)); // never rejects
    else proceed(verdict, caller, expectsContinue);
  }

  function proceed(verdict: Refusal | Exchange, caller: NodeCaller, expectsContinue: boolean): void {
    if (verdict.kind === 'refusal') {
      caller.refuse(verdict);
    } else if (caller.gone) {
      verdict.settle(GONE_BEFORE_FORWARDING);
    } else {
      if (expectsContinue) caller.continue();
      caller.follow(drive(verdict, transport, caller));
    }
  }

  return listen;
}
