import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Gateway } from '@caracal/core';
import { type Attachment, attach, httpServerOptions } from '@caracal/node';
import type { GatewayConfiguration } from '../configuration/configuration.js';
import type { Certificate } from './listener-tls.js';

type Transport = NonNullable<Parameters<typeof attach>[2]>['transport'];

/** The server callers use, with everything of the Node adapter. */
export function gatewayServer(
  gateway: Gateway,
  { headersTimeoutMs, keepAliveTimeoutMs, trustedProxies }: GatewayConfiguration,
  transport: NonNullable<Transport>,
  certificate: Certificate | undefined,
): { readonly server: Server } & Attachment {
  const options = httpServerOptions({ headersTimeoutMs, keepAliveTimeoutMs });
  const server = certificate === undefined ? createServer(options) : createTlsServer({ ...options, ...certificate });
  return { server, ...attach(server, gateway, { transport, trustedProxies }) };
}
