import { createServer as createHttpServer, type Server, type ServerOptions } from 'node:http';
import type { Gateway } from '@caracal/core';
import { type Attachment, attach } from './attach.js';
import {
  type CreateServerOptions,
  checkCreateServerOptions,
  checkServerOptions,
  DEFAULT_HEADERS_TIMEOUT_MS,
  DEFAULT_KEEP_ALIVE_TIMEOUT_MS,
  type HttpServerOptions,
} from './options.js';

/** Above the gateway's own limit (32 KiB), which answers; this one only ends the parsing. */
const MAX_HEADER_BYTES = 64 * 1024;

/** How often Node looks for heads that are late, ms. */
const LATE_HEADS_INTERVAL_MS = 5_000;

/** After so much silence the kernel asks whether a caller is still there, ms. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** An `http.Server` that serves a gateway. */
export type GatewayServer = Server & Attachment;

/**
 * What `http.createServer` (or `https.createServer`, with `cert` and `key` added) needs to be told for a gateway.
 * @throws TypeError that names an unknown or wrong option
 */
export function httpServerOptions(options: HttpServerOptions = {}): ServerOptions {
  checkServerOptions(options);
  return {
    insecureHTTPParser: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    // A missing Host is the gateway's to refuse, so that the refusal looks like every other.
    requireHostHeader: false,
    // There is no limit on a whole request. The one on its head has to be said: its default is the smaller of both.
    requestTimeout: 0,
    headersTimeout: options.headersTimeoutMs ?? DEFAULT_HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: LATE_HEADS_INTERVAL_MS,
    keepAliveTimeout: options.keepAliveTimeoutMs ?? DEFAULT_KEEP_ALIVE_TIMEOUT_MS,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
  };
}

/**
 * Makes an HTTP server that serves a gateway: `createServer(gateway).listen(8081)`. End it with `drain()`.
 * @throws TypeError that names an unknown or wrong option
 */
export function createServer(gateway: Gateway, options: CreateServerOptions = {}): GatewayServer {
  checkCreateServerOptions(options);
  const { transport, trustedProxies, ...serverOptions } = options;
  const server = createHttpServer(httpServerOptions(serverOptions));
  const handlerOptions = {
    ...(transport === undefined ? {} : { transport }),
    ...(trustedProxies === undefined ? {} : { trustedProxies }),
  };
  return Object.assign(server, attach(server, gateway, handlerOptions));
}
