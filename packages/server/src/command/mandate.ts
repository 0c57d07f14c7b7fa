import { defineCommand } from '../frame/command.js';
import { applicationSecret, chooseApplication, requireTokenService } from './applications.js';
import { wholeNumber } from './audit-options.js';
import { CONFIG_OR_DEV_OPTION, openConfiguration } from './configuration-option.js';
import { requestMandate } from './request-mandate.js';

export const mandate = defineCommand({
  name: 'mandate',
  summary: 'gets a mandate from the token service, and prints it and nothing else',
  options: {
    application: { type: 'string', value: 'ID', help: 'who is to act; not needed where there is only one' },
    resource: { type: 'string', value: 'ID', multiple: true, help: 'what it may reach; none gives a session' },
    scope: { type: 'string', value: 'SCOPE', multiple: true, help: 'what it may do; default all that is granted' },
    ttl: { type: 'string', value: 'SECONDS', help: 'how long it lives; default and most 900, a session 3600' },
    ...CONFIG_OR_DEV_OPTION,
  },
  details: [
    'Uses the application’s secret where the configuration says it is kept, and the token service that is running.',
  ],
  examples: [
    'caracal mandate --application billing-agent --resource resource://billing-api --scope billing:read',
    'curl -H "Authorization: Bearer $(caracal mandate --resource resource://billing-api)" ...',
  ],
  async run(invocation) {
    const { options, output, env } = invocation;
    const ttlSeconds = wholeNumber('ttl', options.ttl);
    const { configuration } = await openConfiguration(invocation, { orDev: true });
    const tokenService = requireTokenService(configuration);
    const application = chooseApplication(tokenService, options.application);
    const secret = await applicationSecret(configuration, application, env);
    const { mandate, expiresInSeconds, scope } = await requestMandate(tokenService, {
      applicationId: application.id,
      secret,
      resources: options.resource,
      scopes: options.scope.flatMap((scopes) => scopes.split(' ')),
      ttlSeconds,
    });
    await output.tell(mandate, { mandate, expiresInSeconds, scope });
    return 0;
  },
});
