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
    'The next call is answered connection_required; workers, and other gateways on the same store, notice within five seconds. It says ' +
      'whether the upstream took the tokens back; where it did not, they may be good there until they expire.',
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
    const { result, upstream = '' } = (await askConnections(admin, '/v1/connections/disconnect', { ...named })) as {
      readonly result: string;
      readonly upstream?: string;
    };
    if (result !== 'disconnected') {
      throw failed(`${connectionText(named)} is not connected; see who is: caracal connect list`);
    }
    await output.tell(`disconnected: ${connectionText(named)}; ${upstreamText(upstream)}`, {
      disconnected: named,
      upstream,
    });
    return 0;
  },
});

function upstreamText(upstream: string): string {
  if (upstream === 'revoked') return 'the upstream has taken its tokens back';
  if (upstream === 'unsupported')
    return 'the upstream has no revocation endpoint: its tokens may be good there until they expire';
  return `the upstream has not taken its tokens back (${upstream}): they may be good there until they expire`;
}
