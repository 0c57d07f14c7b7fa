import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigurationFile } from '@caracal/server';
import { type Ran, RunningCommand, type RunOptions, caracal as run } from './caracal.js';

export const BILLING = 'resource://billing-api';
/** What no command may print, write into evidence or let out. */
export const SECRETS = {
  AGENT_SECRET: 'agent-secret-0b7e5d1c9a',
  OTHER_SECRET: 'other-secret-5d02c7e1f3',
  UPSTREAM_KEY: 'upstream-key-5f1c88e2aa',
  ADMIN_TOKEN: 'admin-token-91d2c3a4f7',
  SEALING_KEY: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
} as const;

/** `caracal serve` as a child process, its configuration in a directory of its own, and the upstream behind it. */
export interface CommandWorld {
  readonly directory: string;
  readonly configuration: ConfigurationFile;
  readonly url: { readonly gateway: string; readonly tokenService: string; readonly admin: string };
  /** Requests that reached the upstream. */
  readonly seen: IncomingMessage[];
  readonly serving: RunningCommand;
  /** Runs a command in the directory, with the environment the configuration needs. */
  caracal(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** A call through the gateway: the status, the gateway's error code where it refused, and the request id. */
  call(
    mandate: string | undefined,
    path?: string,
  ): Promise<{ readonly status: number; readonly error: string | null; readonly requestId: string }>;
  close(): Promise<void>;
}

/** What a test wants otherwise. */
export interface WorldChanges {
  /** Makes the configuration of the usual one. */
  readonly change?: (
    usual: ConfigurationFile,
    url: CommandWorld['url'],
  ) => ConfigurationFile | Promise<ConfigurationFile>;
  /** Whether the upstream answers 200; default where the request bears its key. */
  readonly accepts?: (request: IncomingMessage) => boolean;
  /** Beside {@link SECRETS}. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `caracal serve` with the usual configuration. */
export async function commandWorld({
  change = (usual) => usual,
  accepts = ({ headers }) => headers['x-api-key'] === SECRETS.UPSTREAM_KEY,
  env: more = {},
}: WorldChanges = {}): Promise<CommandWorld> {
  const env = { ...SECRETS, ...more };
  const directory = await mkdtemp(join(tmpdir(), 'caracal-cli-'));
  const seen: IncomingMessage[] = [];
  const upstream = createServer((req, res) => {
    seen.push(req);
    req.resume();
    res.writeHead(accepts(req) ? 200 : 401, {
      'Content-Type': 'application/json',
    });
    res.end('{"invoice":42}');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const upstreamUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const [gateway, tokenService, admin] = await freePorts(3);
  const url = {
    gateway: `http://127.0.0.1:${gateway}`,
    tokenService: `http://127.0.0.1:${tokenService}`,
    admin: `http://127.0.0.1:${admin}`,
  };
  const configuration = await change(usualConfiguration(url, upstreamUrl), url);
  await writeFile(join(directory, 'caracal.config.json'), JSON.stringify(configuration, null, 2));
  const serving = new RunningCommand(['serve'], { cwd: directory, env });
  await serving.printed(/"name":"admin"/);
  return {
    directory,
    configuration,
    url,
    seen,
    serving,
    caracal: (args, options) => run(args, { cwd: directory, env, ...options }),
    call: async (mandate, path = '/v1/invoices/42') => {
      const answer = await fetch(url.gateway + path, {
        headers: {
          'X-Caracal-Resource': BILLING,
          ...(mandate === undefined ? {} : { Authorization: `Bearer ${mandate}` }),
        },
      });
      await answer.arrayBuffer();
      const { status, headers } = answer;
      return { status, error: headers.get('x-caracal-error'), requestId: headers.get('x-caracal-request-id') ?? '' };
    },
    close: async () => {
      await serving.stop();
      await new Promise<void>((resolve) => {
        upstream.close(() => resolve());
        upstream.closeAllConnections();
      });
      await rm(directory, { recursive: true });
    },
  };
}

/** Ports of loopback that are free now. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createSocketServer());
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Everything the state directory holds as text. */
export async function journalText(directory: string): Promise<string> {
  return readFile(join(directory, '.caracal', 'audit', '0000000001.ndjson'), 'utf8');
}

function usualConfiguration(url: CommandWorld['url'], upstreamUrl: string): ConfigurationFile {
  const listenOf = (origin: string) => new URL(origin).host;
  return {
    gateway: { listen: listenOf(url.gateway) },
    tokenService: {
      listen: listenOf(url.tokenService),
      issuer: url.tokenService,
      applications: [
        {
          id: 'billing-agent',
          secret: { env: 'AGENT_SECRET' },
          grants: [{ resource: BILLING, scopes: ['billing:read', 'billing:submit'] }],
        },
        { id: 'other-agent', secret: { env: 'OTHER_SECRET' }, grants: [] },
      ],
    },
    sealing: { keys: [{ id: 'k1', key: { env: 'SEALING_KEY' } }] },
    providers: [
      {
        id: 'provider://billing',
        kind: 'api_key',
        headerName: 'X-Api-Key',
        secret: { env: 'UPSTREAM_KEY' },
        origins: [upstreamUrl],
      },
    ],
    resources: [
      {
        identifier: BILLING,
        scopes: ['billing:read', 'billing:submit'],
        upstreamUrl,
        allowPrivateNetwork: true,
        provider: 'provider://billing',
        mount: { pathPrefix: '/billing' },
        operations: [
          { method: 'GET', path: '/v1/invoices/{id}', scopes: ['billing:read'] },
          { method: 'POST', path: '/v1/invoices', scopes: ['billing:submit'] },
        ],
        check: { method: 'GET', path: '/v1/invoices/42' },
      },
    ],
    admin: { listen: listenOf(url.admin), token: { env: 'ADMIN_TOKEN' } },
  };
}
