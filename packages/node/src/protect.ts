import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Admitted, type Exchange, enforce, type Gateway, ofResource, type Refusal } from '@caracal/core';
import { Connections } from './connections.js';
import { disown } from './disown.js';
import { meterRequest, meterResponse } from './metered.js';
import { NodeCaller } from './node-caller.js';
import { refuseUnknownKeys } from './options.js';
import { announcesBody, removedPrefixOf, requestHead } from './request-head.js';
import { peerReader } from './trusted-proxies.js';
import { inTurn } from './turns.js';

/** Options of `protect`. */
export interface ProtectOptions {
  /** Identifier of the resource that this service is; callers need not name it, and may name no other. */
  readonly resource: string;
  /** As in `NodeHandlerOptions`. Default none. */
  readonly trustedProxies?: readonly string[];
}

/**
 * Calls `next` for what the gateway admits, without arguments, and answers everything else itself: a middleware for
 * `node:http`, Express and Connect.
 */
export type Protection = (req: IncomingMessage, res: ServerResponse, next: () => void) => void;

const ADMITTED = Symbol.for('caracal.admitted');

/**
 * Enforces inside a service that answers by itself: the verdict, the refusals and the evidence are those of a forwarded
 * request. What the gateway ends (revoked, expired, shut down) is cut, whatever the handler does; `signal` tells the
 * handler. Bytes are counted both ways; the exchange is settled when the response has ended or its connection is gone.
 * @throws TypeError that names an unknown or wrong option
 */
export function protect(gateway: Gateway, options: ProtectOptions): Protection {
  refuseUnknownKeys(options, ['resource', 'trustedProxies']);
  const { resource } = options;
  if (typeof resource !== 'string')
    throw new TypeError('Option "resource" is the identifier of the resource to protect.');
  const connections = new Connections(peerReader(options.trustedProxies ?? []));

  return (req, res, next) => {
    const connection = connections.of(req.socket);
    inTurn(res, connection, () => {
      if (!connection.socket.writable) return;
      const caller = new NodeCaller(req, res, announcesBody(req.rawHeaders) ? req : null, connection, connections);
      const head = requestHead(req, connections.peerOf(connection, req.rawHeaders), caller);
      const verdict = gateway.admit({ ...head, headers: ofResource(head.headers, resource), upgrade: false });
      const proceed = (settled: Refusal | Exchange) => answer(settled, req, res, caller, next);
      if ('then' in verdict)
        void verdict.then(proceed); // never rejects
      else proceed(verdict);
    });
  };
}

/** Who was admitted. @throws TypeError where the request has not passed `protect` */
export function admittedOf(req: IncomingMessage): Admitted {
  const admitted = (req as { [ADMITTED]?: Admitted })[ADMITTED];
  if (admitted === undefined) throw new TypeError('admittedOf: this request has not passed protect().');
  return admitted;
}

function answer(
  verdict: Refusal | Exchange,
  req: IncomingMessage,
  res: ServerResponse,
  caller: NodeCaller,
  next: () => void,
): void {
  if (verdict.kind === 'refusal') return caller.refuse(verdict);
  const enforced = enforce(verdict, {
    refuse: (refusal) => {
      caller.refuse(refusal);
      disown(res);
    },
    destroy: () => caller.destroy(),
  });
  res.once('finish', () => enforced.finished());
  res.once('close', () => enforced.gone());
  if (caller.gone) return enforced.gone();
  if (removedPrefixOf(req) === undefined) {
    return enforced.refuse(
      'internal_error',
      'target_rewritten',
      new TypeError('A handler before protect() has changed req.url.'),
    );
  }
  // Told to end between its admission and now.
  if (res.headersSent) return;
  setOwnHeaders(res, verdict.ownHeaders());
  meterRequest(req, (bytes) => enforced.received(bytes));
  meterResponse(res, enforced, req.method);
  (req as { [ADMITTED]?: Admitted })[ADMITTED] = enforced.admitted;
  next();
}

function setOwnHeaders(res: ServerResponse, headers: readonly string[]): void {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!;
    const value = headers[index + 1]!;
    if (name.toLowerCase() === 'vary') res.appendHeader(name, value);
    else res.setHeader(name, value);
  }
}
