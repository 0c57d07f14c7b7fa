import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { getRequestListener } from '@hono/node-server';
import type { Certificate } from './listener-tls.js';

/** Answers a request; `incoming` is how it came. Must not reject. */
export type Answer = (request: Request, incoming: IncomingMessage) => Promise<Response>;

/** Takes a request over as it came and answers it itself, or answers `false` and has touched nothing. Must not throw. */
export type DirectAnswer = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;

/** Longest head of a request to the token service or the admin endpoint, bytes. */
const MAX_HEAD_BYTES = 32 * 1024;

const LIMITS: ServerOptions = Object.freeze({
  maxHeaderSize: MAX_HEAD_BYTES,
  headersTimeout: 15_000,
  // Bodies are small forms and documents.
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  keepAliveTimeout: 65_000,
  noDelay: true,
});

/** A server of our own endpoints, whose answers are made by a function of web standards; by `direct` first, where it takes them. */
export function fetchServer(
  answer: Answer,
  certificate: Certificate | undefined,
  direct: DirectAnswer = () => false,
): Server {
  const listener = getRequestListener(async (request, { incoming }) => answer(request, incoming as IncomingMessage), {
    // Where a request names no host; these endpoints decide nothing by it.
    hostname: 'caracal.invalid',
    overrideGlobalObjects: false,
    errorHandler: () => new Response(null, { status: 500 }),
  });
  const handle = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    if (!direct(incoming, outgoing)) void listener(incoming, outgoing); // answers its own faults
  };
  return certificate === undefined
    ? createServer(LIMITS, handle)
    : createTlsServer({ ...LIMITS, ...certificate }, handle);
}

/** Stops accepting, lets answers under way be written until `timeoutMs` is over, and cuts the rest. */
export async function closeServer(server: Server, timeoutMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), timeoutMs);
  await closed;
  clearTimeout(timer);
}
