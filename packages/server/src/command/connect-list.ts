import { columns } from '../frame/columns.js';
import { defineCommand } from '../frame/command.js';
import { wholeNumber } from './audit-options.js';
import { openConfiguration } from './configuration-option.js';
import {
  CONNECTION_OPTIONS,
  chooseConnectable,
  connectableProviders,
  connectionsAdmin,
  notRunning,
} from './connection-options.js';

const DEFAULT_LIMIT = 1_000;

/** A connection as the admin endpoint tells of it. */
interface ToldConnection {
  readonly zone: string;
  readonly provider: string;
  readonly issuer?: string;
  readonly subject?: string;
  readonly state: string;
  readonly connectedAt?: string;
  readonly expiresAt?: string;
  readonly renewable?: boolean;
  readonly scope?: string;
}

export const connectList = defineCommand({
  name: 'connect list',
  summary: 'shows which accounts are connected',
  options: {
    ...CONNECTION_OPTIONS,
    provider: { type: 'string', value: 'ID', help: 'at this provider; default every one' },
    issuer: { type: 'string', value: 'URL', help: 'of subjects of this issuer' },
    zone: { type: 'string', value: 'ID', help: 'in this zone; default every one' },
    limit: { type: 'string', value: 'N', help: 'at most so many; default 1000, most 10000' },
  },
  details: [
    'State: connected; lost (the upstream takes the refresh token no more: connect it again); unreadable (sealed with a key that is ' +
      'gone, or for other origins: connect it again); provider_unknown (its provider is not in the configuration any more). No token ' +
      'is shown.',
  ],
  examples: ['caracal connect list', 'caracal connect list --provider provider://files --subject alice --json'],
  async run(invocation) {
    const { options, output, env } = invocation;
    const limit = wholeNumber('limit', options.limit) ?? DEFAULT_LIMIT;
    const { configuration } = await openConfiguration(invocation, { orDev: true });
    if (options.provider === undefined) connectableProviders(configuration);
    else chooseConnectable(configuration, options.provider);
    const admin = connectionsAdmin(configuration, env);
    const query = new URLSearchParams({ limit: String(limit) });
    for (const name of ['provider', 'subject', 'issuer', 'zone'] as const) {
      const value = options[name];
      if (value !== undefined) query.set(name, value);
    }
    if (options.shared) query.set('shared', 'true');
    const connections = (await admin.lines(`/v1/connections?${query}`).catch(notRunning)) as readonly ToldConnection[];
    for (const connection of connections) await output.object(connection);
    if (connections.length === 0) await output.text('no account is connected');
    else await output.text(columns([HEAD, ...connections.map(row)]));
    if (connections.length >= limit) output.note(`there may be more than these ${limit}: narrow it, or raise --limit`);
    return 0;
  },
});

const HEAD = ['PROVIDER', 'ZONE', 'SUBJECT', 'ISSUER', 'STATE', 'CONNECTED', 'ENDS', 'SCOPE'];

function row(connection: ToldConnection): readonly string[] {
  const { provider, zone, subject = '(shared)', issuer = '', state, connectedAt = '', scope = '' } = connection;
  const ends = connection.renewable === true ? 'renews itself' : (connection.expiresAt ?? '');
  return [provider, zone, subject, issuer, state, connectedAt, ends, scope];
}
