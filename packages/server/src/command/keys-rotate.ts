import { defineCommand } from '../frame/command.js';
import { failed, wrongUse } from '../frame/command-error.js';
import { adminClient, adminFault } from './admin-client.js';
import { requireTokenService } from './applications.js';
import { CONFIG_OR_DEV_OPTION, openConfiguration } from './configuration-option.js';
import { NotListeningError } from './local-request.js';

export const keysRotate = defineCommand({
  name: 'keys rotate',
  summary: 'makes the running token service sign with a new key from now on',
  options: {
    'forget-previous': {
      type: 'boolean',
      help: 'after a theft: what the keys before have signed is refused from now on',
    },
    ...CONFIG_OR_DEV_OPTION,
  },
  details: [
    'The key before it stays published until the last mandate it signed has ended, so nothing breaks. That happens by itself every ' +
      'tokenService.keyRotationDays: this is for the day a key may have been seen.',
  ],
  examples: ['caracal keys rotate'],
  async run(invocation) {
    const { options, output, env } = invocation;
    const { configuration } = await openConfiguration(invocation, { orDev: true });
    requireTokenService(configuration);
    const admin = adminClient(configuration, env);
    if (admin === undefined) throw wrongUse('the configuration has no admin endpoint, which this needs; add admin');
    const answer = await admin
      .ask('POST', '/v1/token-service/rotate-keys', { keepPrevious: !options['forget-previous'] })
      .catch((cause: unknown) => {
        throw cause instanceof NotListeningError
          ? failed(`${cause.message}; the token service is not running, and makes a key when it starts`)
          : cause;
      });
    if (answer.status !== 200) throw failed(adminFault(answer));
    const { keys } = answer.body as { readonly keys?: number };
    await output.tell(`rotated: ${keys} keys are published`, { rotated: true, keys });
    return 0;
  },
});
