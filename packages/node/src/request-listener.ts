import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import {
  drive,
  type ErrorCode,
  type Exchange,
  type Gateway,
  NOTHING_SENT,
  type Refusal,
  type Settlement,
  type Transport,
} from '@caracal/core';
import type { Connection, Connections } from './connections.js';
import { NodeCaller } from './node-caller.js';
import { announcesBody, bodyWasRead, removedPrefixOf, requestHead } from './request-head.js';
import { inTurn } from './turns.js';

/** Of an exchange whose caller went away while it was decided on. */
export const GONE_BEFORE_FORWARDING: Settlement = Object.freeze({
  ...NOTHING_SENT,
  outcome: 'client_aborted',
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
    inTurn(res, connection, () => begin(req, res, connection, expectsContinue));
  }

  function begin(req: IncomingMessage, res: ServerResponse, connection: Connection, expectsContinue: boolean): void {
    // Once `Connection: close` was said nothing more is served on a connection (RFC 9112 section 9.6).
    if (!connection.socket.writable) return;
    const caller = new NodeCaller(req, res, announcesBody(req.rawHeaders) ? req : null, connection, connections);
    const verdict = gateway.admit(requestHead(req, connections.peerOf(connection, req.rawHeaders), caller));
    if ('then' in verdict)
      void verdict.then((settled) => proceed(settled, req, caller, expectsContinue)); // never rejects
    else proceed(verdict, req, caller, expectsContinue);
  }

  function proceed(
    verdict: Refusal | Exchange,
    req: IncomingMessage,
    caller: NodeCaller,
    expectsContinue: boolean,
  ): void {
    if (verdict.kind === 'refusal') {
      caller.refuse(verdict);
      return;
    }
    if (caller.gone) {
      verdict.settle(GONE_BEFORE_FORWARDING);
      return;
    }
    const fault = whatOthersDid(req, caller);
    if (fault !== undefined) {
      refuse(verdict, caller, fault);
      return;
    }
    if (expectsContinue) caller.continue();
    caller.follow(drive(verdict, transport, caller));
  }

  return listen;
}

interface HandlerFault {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly cause: Error;
}

/** What a handler before this one did to the request, so that it cannot be sent on as the caller sent it. */
function whatOthersDid(req: IncomingMessage, caller: NodeCaller): HandlerFault | undefined {
  if (caller.body !== null && bodyWasRead(req)) {
    return fault('body_already_read', 'A handler before the gateway has read the body: mount body parsers behind it.');
  }
  if (removedPrefixOf(req) === undefined) {
    return fault(
      'target_rewritten',
      'A handler before the gateway has changed req.url: a prefix may go, nothing else.',
    );
  }
  return undefined;
}

function fault(reason: string, message: string): HandlerFault {
  return { code: 'internal_error', reason, cause: new TypeError(message) };
}

function refuse(exchange: Exchange, caller: NodeCaller, { code, reason, cause }: HandlerFault): void {
  const refusal = exchange.refuse(code, reason, cause);
  caller.refuse(refusal);
  exchange.settle({ ...NOTHING_SENT, outcome: 'refused', status: refusal.status, error: refusal.code, reason });
}
