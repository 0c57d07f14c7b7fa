import { defineCommand } from '../frame/command.js';
import { wholeNumber } from './audit-options.js';
import { openConfiguration } from './configuration-option.js';
import { askConnections, CONNECTION_OPTIONS, connectionsAdmin, namedConnection } from './connection-options.js';

export const connectInvite = defineCommand({
  name: 'connect invite',
  summary: 'prints an address at which somebody connects an account, without signing in',
  options: {
    ...CONNECTION_OPTIONS,
    ttl: { type: 'string', value: 'SECONDS', help: 'how long the address is good; default 900, most 86400' },
  },
  details: [
    'Prints the address and nothing else. It works once, for whoever opens it first: hand it to the one person whose account it is to ' +
      'be, over a way nobody else reads. People who can sign in need none: they get an address of their own with ' +
      'connection_required.',
    'A shared connection, where the provider allows one, serves every subject of the zone that has none.',
  ],
  examples: [
    'caracal connect invite --provider provider://files --subject alice',
    'caracal connect invite --provider provider://files --shared --ttl 3600',
  ],
  async run(invocation) {
    const { options, output, env } = invocation;
    const ttlSeconds = wholeNumber('ttl', options.ttl);
    const { configuration } = await openConfiguration(invocation, { orDev: true });
    const named = namedConnection(configuration, options);
    const admin = connectionsAdmin(configuration, env);
    const asked = { ...named, ...(ttlSeconds !== undefined && { ttlSeconds }) };
    const { connect_uri: connectUri, expires_in: expiresInSeconds } = (await askConnections(
      admin,
      '/v1/connections/invitations',
      asked,
    )) as { readonly connect_uri: string; readonly expires_in: number };
    await output.tell(connectUri, { connectUri, expiresInSeconds, ...named });
    return 0;
  },
});
