import { defineCommand } from '../frame/command.js';
import { wrongUse } from '../frame/command-error.js';
import { runServer } from '../run-server.js';
import { isWorkerProcess, runWorker } from '../workers/run-worker.js';
import { CONFIG_OPTION, openConfiguration } from './configuration-option.js';
import { startError } from './start-error.js';

export const serve = defineCommand({
  name: 'serve',
  summary: 'runs the gateway and, where configured, the token service and the admin endpoint',
  options: {
    ...CONFIG_OPTION,
    workers: {
      type: 'string',
      value: 'N',
      help: 'processes that serve the gateway’s listener, 1 to 64; default: this one alone',
    },
  },
  details: [
    'Prints one JSON line a listener once it accepts: {"event":"listening","name":"gateway","url":"http://127.0.0.1:8081"}. The log goes to ' +
      'standard error, one JSON object a line.',
    'With --workers this process keeps the state directory, the token service and the admin endpoint; the workers share its journal, ' +
      'revocations, used mandates, rate limits and tokens. One that dies is replaced; POST /v1/workers/restart at the admin endpoint ' +
      'replaces all, one after another, without a lost request.',
    'A changed file, or SIGHUP, reloads the configuration as a whole; one with mistakes changes nothing and is told in the log. ' +
      'SIGTERM or SIGINT lets requests under way end (gateway.drainTimeoutMs); a second one ends at once.',
  ],
  examples: ['caracal serve --config caracal.config.yaml', 'caracal serve --workers 4'],
  async run(invocation) {
    // Told everything by the process that started it, also where the file is broken by now.
    if (isWorkerProcess()) {
      await runWorker();
      return 0;
    }
    const workers = workerCount(invocation.options.workers);
    const loaded = await openConfiguration(invocation);
    await runServer(loaded, { environment: invocation.env, ...(workers === undefined ? {} : { workers }) }).catch(
      (cause: unknown) => {
        throw startError(cause);
      },
    );
    return 0;
  },
});

const MAX_WORKERS = 64;

function workerCount(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= MAX_WORKERS) return count;
  throw wrongUse(`--workers is a whole number, 1 to ${MAX_WORKERS}`);
}
