import { defineCommand } from '../frame/command.js';
import { runServer } from '../run-server.js';
import { CONFIG_OPTION, openConfiguration } from './configuration-option.js';
import { startError } from './start-error.js';

export const serve = defineCommand({
  name: 'serve',
  summary: 'runs the gateway and, where configured, the token service and the admin endpoint',
  options: CONFIG_OPTION,
  details: [
    'Prints one JSON line a listener once it accepts: {"event":"listening","name":"gateway","url":"http://127.0.0.1:8081"}. The log goes to ' +
      'standard error, one JSON object a line.',
    'A changed file, or SIGHUP, reloads the configuration as a whole; one with mistakes changes nothing and is told in the log. ' +
      'SIGTERM or SIGINT lets requests under way end (gateway.drainTimeoutMs); a second one ends at once.',
  ],
  examples: ['caracal serve --config caracal.config.yaml'],
  async run(invocation) {
    const loaded = await openConfiguration(invocation);
    await runServer(loaded, { environment: invocation.env }).catch((cause: unknown) => {
      throw startError(cause);
    });
    return 0;
  },
});
