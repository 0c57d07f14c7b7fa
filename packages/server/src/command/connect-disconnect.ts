import { defineCommand } from '../frame/command.js';
import { failed } from '../frame/command-error.js';
import { openConfiguration } from './configuration-option.js';
import {
  askConnections,
  CONNECTION_OPTIONS,
  connectionsAdmin,
  connectionText,
  namedConnection,
} from './connection-options.js';

export const connectDisconnect = defineCommand({
  name: 'connect disconnect',
  summary: 'forgets a connected account, and revokes its tokens upstream where that can be done',
  options: CONNECTION_OPTIONS,
  details: [
    'The next call is answered connection_required; workers, and other gateways on the same store, notice within five seconds. Whether the upstream ' +
      'took the tokens back is in the log of the gateway (oauth_disconnected).',
  ],
  examples: [
    'caracal connect disconnect --provider provider://files --subject alice',
    'caracal connect disconnect --provider provider://files --shared',
  ],
  async run(invocation) {
    const { options, output, env } = invocation;
    const { configuration } = await openConfiguration(invocation, { orDev: true });
    const named = namedConnection(configuration, options);
    const admin = connectionsAdmin(configuration, env);
    const { result } = (await askConnections(admin, '/v1/connections/disconnect', { ...named })) as {
      readonly result: string;
    };
    if (result !== 'disconnected') {
      throw failed(`${connectionText(named)} is not connected; see who is: caracal connect list`);
    }
    await output.tell(`disconnected: ${connectionText(named)}`, { disconnected: named });
    return 0;
  },
});
