import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ConfigurationFile,
  type LogEntry,
  loadConfiguration,
  type RunningServer,
  type StartOptions,
  startServer,
} from '@caracal/server';

/** The upstream's key; must be seen nowhere else. */
export const UPSTREAM_KEY = 'upstream-key-5f1c';
export const AGENT_SECRET = 'agent-secret-0b7e';
export const ADMIN_TOKEN = 'admin-token-91d2c3a4';
export const BILLING = 'resource://billing-api';

/** An upstream, a configuration file and the server that runs by it, all on loopback. */
export interface ServerWorld {
  readonly directory: string;
  readonly file: string;
  readonly server: RunningServer;
  readonly logged: LogEntry[];
  /** Requests the upstream has seen. */
  readonly seen: IncomingMessage[];
  readonly url: { readonly gateway: string; readonly tokenService: string; readonly admin: string };
  readonly environment: Record<string, string>;
  write(configuration: ConfigurationFile): Promise<void>;
  /** A mandate of `billing-agent` for the billing API, from the token service. */
  mandate(scope?: string): Promise<string>;
  /** A call through the gateway. */
  call(mandate: string, path?: string, headers?: Record<string, string>): Promise<Response>;
  /** A call to the admin endpoint. */
  admin(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

/** The configuration of the world, to be changed. */
export function worldConfiguration(upstreamUrl: string): ConfigurationFile {
  return {
    gateway: { listen: 0, drainTimeoutMs: 2_000 },
    tokenService: {
      listen: 0,
      applications: [
        {
          id: 'billing-agent',
          secret: { env: 'AGENT_SECRET' },
          grants: [{ resource: BILLING, scopes: ['billing:read'] }],
        },
      ],
    },
    providers: [
      { id: 'provider://billing', kind: 'api_key', headerName: 'X-Api-Key', secret: { env: 'UPSTREAM_KEY' } },
    ],
    resources: [
      {
        identifier: BILLING,
        scopes: ['billing:read', 'billing:submit'],
        upstreamUrl,
        allowPrivateNetwork: true,
        provider: 'provider://billing',
        operations: [
          { method: 'GET', path: '/v1/invoices/{id}', scopes: ['billing:read'] },
          { method: 'POST', path: '/v1/invoices', scopes: ['billing:submit'] },
        ],
      },
    ],
    admin: { listen: 0, token: { env: 'ADMIN_TOKEN' } },
  };
}

/** Starts the world. `change` makes its configuration of the usual one. */
export async function serverWorld(
  change: (usual: ConfigurationFile, directory: string) => ConfigurationFile | Promise<ConfigurationFile> = (usual) =>
    usual,
  options: StartOptions = {},
  more: Readonly<Record<string, string>> = {},
): Promise<ServerWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'caracal-server-'));
  const seen: IncomingMessage[] = [];
  const upstream = createServer((req, res) => {
    seen.push(req);
    if (req.url?.startsWith('/v1/invoices/stream')) {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      res.write('data: first\n\n');
      req.once('close', () => res.end());
      return;
    }
    req.resume();
    res.writeHead(req.headers['x-api-key'] === UPSTREAM_KEY ? 200 : 401, { 'Content-Type': 'application/json' });
    res.end('{"invoice":42}');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const upstreamUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const file = join(directory, 'caracal.config.json');
  // As editors do: a reader sees the old file or the new one.
  const write = async (configuration: ConfigurationFile) => {
    await writeFile(`${file}.new`, JSON.stringify(configuration));
    await rename(`${file}.new`, file);
  };
  const environment = { AGENT_SECRET, UPSTREAM_KEY, ADMIN_TOKEN, ...more };
  const logged: LogEntry[] = [];
  await write(await change(worldConfiguration(upstreamUrl), directory));
  const cleanUp = async () => {
    await new Promise<void>((resolve) => {
      upstream.close(() => resolve());
      upstream.closeAllConnections();
    });
    await rm(directory, { recursive: true });
  };
  const server = await loadConfiguration(file)
    .then((loaded) => startServer(loaded, { environment, log: (entry) => logged.push(entry), ...options }))
    .catch(async (cause: unknown) => {
      await cleanUp();
      throw cause;
    });
  const urlOf = (name: string) => server.listeners.find((listener) => listener.name === name)?.url ?? '';
  const url = { gateway: urlOf('gateway'), tokenService: urlOf('tokenService'), admin: urlOf('admin') };
  return {
    directory,
    file,
    server,
    logged,
    seen,
    url,
    environment,
    write,
    mandate: (scope = 'billing:read') => mandateFrom(url.tokenService, scope),
    call: (mandate, path = '/v1/invoices/42', headers = {}) =>
      fetch(`${url.gateway}${path}`, {
        headers: { 'X-Caracal-Resource': BILLING, Authorization: `Bearer ${mandate}`, ...headers },
      }),
    admin: (path, init = {}) =>
      fetch(`${url.admin}${path}`, { ...init, headers: { Authorization: `Bearer ${ADMIN_TOKEN}`, ...init.headers } }),
    async close() {
      await server.close();
      await cleanUp();
    },
  };
}

/** A mandate by client credentials. */
export async function mandateFrom(tokenService: string, scope: string, resource = BILLING): Promise<string> {
  const answer = await fetch(`${tokenService}/oauth/2/token`, {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from(`billing-agent:${AGENT_SECRET}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope }),
  });
  const { access_token } = (await answer.json()) as { access_token?: string };
  if (access_token === undefined) throw new Error(`no mandate: ${answer.status}`);
  return access_token;
}
