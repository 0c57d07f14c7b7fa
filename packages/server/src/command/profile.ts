import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ApplicationConfiguration, Configuration, ResourceConfiguration } from '../configuration/configuration.js';
import { defineCommand, type Invocation, type OptionSpecs } from '../frame/command.js';
import { CommandError, failed } from '../frame/command-error.js';
import { systemFault } from '../frame/system-fault.js';
import { applicationSecret, chooseApplication, requireTokenService } from './applications.js';
import { CONFIG_OR_DEV_OPTION, openConfiguration } from './configuration-option.js';
import { directoryRows } from './directory-rows.js';
import { gatewayUrl, tokenServiceIssuer } from './public-urls.js';

/** What a client needs to call through this gateway: format 1. */
interface Profile {
  readonly caracalProfile: 1;
  readonly gatewayUrl: string;
  readonly tokenUrl: string;
  readonly issuer: string;
  readonly zone: string;
  readonly applicationId: string;
  /** Absent where only its owner has it. */
  readonly applicationSecret?: { readonly env: string } | { readonly file: string } | string;
  readonly resources: readonly {
    readonly identifier: string;
    readonly scopes: readonly string[];
    /** Absent where it cannot be told: the gateway's serves clients that send the resource's header. */
    readonly url?: string;
  }[];
}

export const profile = defineCommand({
  name: 'profile',
  summary: 'prints what a client of an application needs: URLs, zone, resources',
  options: {
    application: { type: 'string', value: 'ID', help: 'whose client; not needed where there is only one' },
    format: {
      type: 'string',
      choices: ['env', 'file'],
      help: 'variables for an environment (the default), or a JSON file',
    },
    output: { type: 'string', value: 'FILE', help: 'writes it to this new file, which only its owner can read' },
    'with-secret': { type: 'boolean', help: 'writes the secret itself instead of where it is kept' },
    ...CONFIG_OR_DEV_OPTION,
  },
  details: [
    'The environment form is for a shell (set -a; . FILE), node --env-file and docker --env-file alike. With --json: the file form ' +
      'on one line.',
    'The file form has the URL of each resource, with its mount. For resources of the resource directory it reads PostgreSQL; where that ' +
      'does not answer, or has no such row, it leaves their URL out and says so. A mount that changes later needs a new profile.',
  ],
  examples: ['caracal profile --application billing-agent --output billing-agent.env', 'caracal profile --format file'],
  async run(invocation) {
    const { options, output, env, cwd } = invocation;
    const { configuration } = await openConfiguration(invocation, { orDev: true });
    const application = chooseApplication(requireTokenService(configuration), options.application);
    const secret = options['with-secret']
      ? (await applicationSecret(configuration, application, env)).reveal()
      : secretReference(application);
    const format = options.format ?? 'env';
    const needsUrls = format === 'file' || output.json;
    const urls = needsUrls ? await resourceUrls(configuration, application, invocation) : new Map<string, string>();
    const profile = profileOf(configuration, application, secret, urls);
    const text = format === 'env' ? environmentText(profile) : `${JSON.stringify(profile, null, 2)}\n`;
    if (options.output === undefined) {
      await output.tell(text.trimEnd(), profile);
    } else {
      await writePrivate(resolve(cwd, options.output), text).catch((cause: unknown) => {
        throw failed(systemFault(options.output ?? '', cause));
      });
      await output.object({ written: options.output });
    }
    return 0;
  },
});

function profileOf(
  configuration: Configuration,
  { id, grants }: ApplicationConfiguration,
  secret: Profile['applicationSecret'],
  urls: ReadonlyMap<string, string>,
): Profile {
  const issuer = tokenServiceIssuer(configuration);
  return {
    caracalProfile: 1,
    gatewayUrl: gatewayUrl(configuration),
    tokenUrl: `${issuer}/oauth/2/token`,
    issuer,
    zone: configuration.zone,
    applicationId: id,
    ...(secret === undefined ? {} : { applicationSecret: secret }),
    resources: grants.map(({ resource, scopes }) => {
      const url = urls.get(resource);
      return { identifier: resource, scopes, ...(url === undefined ? {} : { url }) };
    }),
  };
}

/** Where calls to each granted resource go, as far as it can be told; says of which it cannot. */
async function resourceUrls(
  configuration: Configuration,
  { grants }: ApplicationConfiguration,
  { env, output }: Pick<Invocation<OptionSpecs>, 'env' | 'output'>,
): Promise<ReadonlyMap<string, string>> {
  const gateway = gatewayUrl(configuration);
  const known = new Map(configuration.resources.map((resource) => [resource.identifier, resource]));
  const others = grants.map(({ resource }) => resource).filter((identifier) => !known.has(identifier));
  if (others.length > 0) {
    const rows = await directoryRows(configuration, env).catch(unreadable);
    for (const row of typeof rows === 'string' ? [] : rows.resources) {
      if (row.zone === configuration.zone) known.set(row.identifier, row);
    }
    const reason =
      typeof rows === 'string'
        ? `the resource directory cannot be read: ${rows}`
        : 'the resource directory has no such row';
    for (const identifier of others) {
      if (known.has(identifier)) continue;
      output.note(`the URL of ${identifier} is left out, a mount it may have is not known: ${reason}`);
    }
  }
  return new Map([...known].map(([identifier, resource]) => [identifier, resourceUrl(gateway, resource)]));
}

/** A database whose URL is not at hand here is one that cannot be read. */
function unreadable(cause: unknown): string {
  if (cause instanceof CommandError) return cause.message;
  throw cause;
}

/** Where calls to a resource go: a mount's host or path, for clients that cannot send the resource's header. */
function resourceUrl(gateway: string, { mount }: ResourceConfiguration): string {
  const url = new URL(gateway);
  const { host, pathPrefix = '' } = mount ?? {};
  if (host !== undefined) url.host = host;
  return `${url.origin}${url.pathname.replace(/\/$/, '')}${pathPrefix.replace(/\/$/, '')}`;
}

function secretReference({ secret }: ApplicationConfiguration): Profile['applicationSecret'] {
  if (secret === undefined || 'hash' in secret || 'sealed' in secret) return undefined;
  return 'env' in secret ? { env: secret.env } : { file: secret.file };
}

function environmentText({ gatewayUrl, tokenUrl, zone, applicationId, applicationSecret, resources }: Profile): string {
  const lines = [
    assignment('CARACAL_GATEWAY_URL', gatewayUrl),
    assignment('CARACAL_TOKEN_URL', tokenUrl),
    assignment('CARACAL_ZONE', zone),
    assignment('CARACAL_APPLICATION_ID', applicationId),
    secretLine(applicationSecret),
    assignment('CARACAL_RESOURCES', resources.map(({ identifier }) => identifier).join(',')),
  ];
  return `${lines.join('\n')}\n`;
}

function secretLine(secret: Profile['applicationSecret']): string {
  if (secret === undefined) return '# CARACAL_APPLICATION_SECRET: only who holds it can say it; set it by hand';
  if (typeof secret === 'string') return assignment('CARACAL_APPLICATION_SECRET', secret);
  return 'env' in secret
    ? assignment('CARACAL_APPLICATION_SECRET_ENV', secret.env)
    : assignment('CARACAL_APPLICATION_SECRET_FILE', secret.file);
}

/** A line that a shell and the readers of .env files take alike. */
function assignment(name: string, value: string): string {
  const plain = /^[A-Za-z0-9._:/@%+,=~-]*$/.test(value);
  return `${name}=${plain ? value : `'${value.replaceAll("'", `'\\''`)}'`}`;
}

async function writePrivate(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}
