import type { Configuration } from '../configuration/configuration.js';
import type { OptionSpecs, OptionValues } from '../frame/command.js';
import { type CommandError, failed, wrongUse } from '../frame/command-error.js';
import { nearName } from '../frame/near-name.js';
import { type AdminAnswer, type AdminClient, adminClient, adminFault } from './admin-client.js';
import { CONFIG_OR_DEV_OPTION } from './configuration-option.js';
import { defaultIssuer } from './default-issuer.js';
import { NotListeningError } from './local-request.js';

const KIND = 'oauth2_authorization_code';

/** Which connection. */
export const CONNECTION_OPTIONS = {
  provider: { type: 'string', value: 'ID', help: 'at which provider; not needed where there is only one' },
  subject: { type: 'string', value: 'ID', help: 'whose: `sub` of their mandates' },
  issuer: { type: 'string', value: 'URL', help: 'of this issuer; default the token service, else the only issuer' },
  shared: { type: 'boolean', help: 'the one of the zone, for every subject without an own' },
  zone: { type: 'string', value: 'ID', help: 'in this zone; default the zone of the configuration' },
  ...CONFIG_OR_DEV_OPTION,
} as const satisfies OptionSpecs;

/** A connection as the admin endpoint names it. */
export interface NamedConnection {
  readonly zone: string;
  readonly provider: string;
  readonly shared?: true;
  readonly issuer?: string;
  readonly subject?: string;
}

/** The connection that options name. @throws CommandError */
export function namedConnection(
  configuration: Configuration,
  options: OptionValues<typeof CONNECTION_OPTIONS>,
): NamedConnection {
  const { subject, issuer, shared } = options;
  const { id, isShared } = chooseConnectable(configuration, options.provider);
  const place = { zone: options.zone ?? configuration.zone, provider: id };
  if (shared) {
    if (subject !== undefined || issuer !== undefined) {
      throw wrongUse('--shared is the connection of nobody in particular; leave --subject and --issuer out');
    }
    if (!isShared) throw wrongUse(`${id} allows no shared connection; set "shared": true on it, or give --subject`);
    return { ...place, shared: true };
  }
  if (subject === undefined) throw wrongUse(`say whose: --subject ID${isShared ? ', or --shared' : ''}`);
  return { ...place, issuer: issuer ?? defaultIssuer(configuration), subject };
}

/** A provider that people connect to. */
interface Connectable {
  readonly id: string;
  readonly isShared: boolean;
}

/** The providers that people connect to. @throws CommandError where there is none */
export function connectableProviders({ providers }: Configuration): readonly [Connectable, ...Connectable[]] {
  const [first, ...more] = providers.flatMap((provider) =>
    provider.kind === KIND ? [{ id: provider.id, isShared: provider.shared === true }] : [],
  );
  if (first !== undefined) return [first, ...more];
  throw wrongUse(`the configuration has no provider of kind ${KIND}, the one kind that people connect to; add one`);
}

/** The provider that is named, else the only one that people connect to. @throws CommandError */
export function chooseConnectable(configuration: Configuration, wanted: string | undefined): Connectable {
  const connectable = connectableProviders(configuration);
  const ids = connectable.map(({ id }) => id);
  if (wanted === undefined) {
    if (connectable.length === 1) return connectable[0];
    throw wrongUse(`say where: --provider ${ids.join(' or --provider ')}`);
  }
  const found = connectable.find(({ id }) => id === wanted);
  if (found !== undefined) return found;
  const other = configuration.providers.find(({ id }) => id === wanted);
  if (other !== undefined) {
    throw wrongUse(
      `${wanted} is of kind ${other.kind}, which nobody connects to; of kind ${KIND} there are ${ids.join(', ')}`,
    );
  }
  const near = nearName(wanted, ids);
  const remedy = near === undefined ? `people connect to ${ids.join(', ')}` : `did you mean ${near}?`;
  throw wrongUse(`there is no provider ${wanted} in the configuration; ${remedy}`);
}

/** The connection in words. */
export function connectionText({ zone, provider, issuer, subject }: NamedConnection): string {
  const whose = subject === undefined ? 'shared' : `of ${subject} (${issuer})`;
  return `the account ${whose} at ${provider} in zone ${zone}`;
}

/** The admin endpoint, which alone knows of connections. @throws CommandError where there is none */
export function connectionsAdmin(configuration: Configuration, env: NodeJS.ProcessEnv): AdminClient {
  const admin = adminClient(configuration, env);
  if (admin !== undefined) return admin;
  throw wrongUse('the configuration has no admin endpoint, which connections are made and ended through; add admin');
}

/** Asks it. @throws CommandError */
export async function askConnections(
  admin: AdminClient,
  path: string,
  body: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const answer = await admin.ask('POST', path, body).catch(notRunning);
  if (answer.status !== 200) throw refused(answer);
  return answer.body;
}

/** Where nothing listens there is no server to ask. */
export function notRunning(cause: unknown): never {
  if (!(cause instanceof NotListeningError)) throw cause;
  throw failed(`${cause.message}; connections are the running gateway’s: start it with caracal serve`);
}

// The configuration is in order here and the gateway says otherwise: it runs another one.
function refused(answer: AdminAnswer): CommandError {
  const { status } = answer;
  const remedy = status === 400 || status === 404 ? '; does it run this configuration? reload it' : '';
  return failed(`${adminFault(answer).replace(/\.$/, '')}${remedy}`);
}
