import { chmod, mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generateSealingKey } from '@caracal/core';
import type { ConfigurationFile } from '../configuration/schema.js';
import { devConfigurationPath } from './configuration-option.js';

/** What the demo's agent may call. */
export const DEV_RESOURCE = 'resource://billing-api';
/** The demo's agent. */
export const DEV_APPLICATION = 'billing-agent';
/** A path the demo's upstream answers. */
export const DEV_PATH = '/v1/invoices/42';

/** Ports of loopback, one a listener. */
export interface DevPorts {
  readonly tokenService: number;
  readonly gateway: number;
  readonly admin: number;
  readonly upstream: number;
}

const SECRETS = ['billing-agent.secret', 'billing.key', 'admin.token'] as const;

/** Makes the secrets that are not there yet, each a file that only its owner can read. */
export async function makeDevSecrets(directory: string): Promise<{ readonly upstreamKey: string }> {
  const secrets = join(devDirectory(directory), 'secrets');
  await mkdir(secrets, { recursive: true, mode: 0o700 });
  await chmod(devDirectory(directory), 0o700);
  for (const name of SECRETS) await makeSecret(join(secrets, name));
  return { upstreamKey: (await readFile(join(secrets, 'billing.key'), 'utf8')).trim() };
}

/** Where everything of `caracal dev` is kept. */
export function devDirectory(directory: string): string {
  return dirname(devConfigurationPath(directory));
}

/** The configuration of `caracal dev`: an ordinary one, to look at and to copy from. */
export function devConfiguration({ tokenService, gateway, admin, upstream }: DevPorts): ConfigurationFile {
  return {
    gateway: { listen: `127.0.0.1:${gateway}`, publicUrl: `http://127.0.0.1:${gateway}` },
    tokenService: {
      listen: `127.0.0.1:${tokenService}`,
      issuer: `http://127.0.0.1:${tokenService}`,
      applications: [
        {
          id: DEV_APPLICATION,
          secret: { file: 'secrets/billing-agent.secret' },
          grants: [{ resource: DEV_RESOURCE, scopes: ['billing:read', 'billing:submit'] }],
        },
      ],
    },
    providers: [
      {
        id: 'provider://billing',
        kind: 'api_key',
        headerName: 'X-Api-Key',
        secret: { file: 'secrets/billing.key' },
        origins: [`http://127.0.0.1:${upstream}`],
      },
    ],
    resources: [
      {
        identifier: DEV_RESOURCE,
        upstreamUrl: `http://127.0.0.1:${upstream}`,
        allowPrivateNetwork: true,
        scopes: ['billing:read', 'billing:submit'],
        provider: 'provider://billing',
        operations: [
          { method: 'GET', path: '/v1/invoices/{id}', scopes: ['billing:read'] },
          { method: 'POST', path: '/v1/invoices', scopes: ['billing:submit'] },
        ],
        check: { method: 'GET', path: DEV_PATH },
      },
    ],
    stores: { stateDirectory: '.' },
    admin: { listen: `127.0.0.1:${admin}`, token: { file: 'secrets/admin.token' } },
  };
}

/** Leaves the configuration for other commands in this directory. Whole, or not at all: they may be reading. */
export async function writeDevConfiguration(directory: string, configuration: ConfigurationFile): Promise<void> {
  const path = devConfigurationPath(directory);
  const draft = `${path}.draft`;
  await writeFile(draft, `${JSON.stringify(configuration, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, path);
}

async function makeSecret(path: string): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(`${generateSealingKey().reveal()}\n`);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause; // one of an earlier run is as good
  }
}
