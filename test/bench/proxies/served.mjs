// `caracal serve` as it is, without workers or with them.
import { configurationOf, isWorkerProcess, runWorker, startServer } from '@caracal/server';
import { gatewayOptions } from '../input.mjs';
import { countForOthers, usageOfAll } from '../together.mjs';

if (isWorkerProcess()) {
  countForOthers();
  await runWorker();
} else await serveAll(JSON.parse(process.argv[2]));

async function serveAll({ workers, ...config }) {
  const { directory, environment, tellPort } = usageOfAll({ workers });
  const server = await startServer(configurationOf(configurationFor(config), directory), {
    environment: { ...process.env, UPSTREAM_KEY: 'bench-upstream-key', ...environment },
    log: ({ level, event, message }) => level === 'error' && console.error(event, message),
    ...(workers === undefined ? {} : { workers }),
  });
  tellPort(Number(new URL(server.listeners[0].url).port));
}

// What input.mjs makes for `createGateway`, as a configuration says it.
function configurationFor(config) {
  const options = gatewayOptions({ apiKey: ({ secret: _, ...provider }) => provider, Secret: class {} }, config);
  const [{ provider }] = options.resources;
  return {
    gateway: { listen: 0 },
    issuers: options.issuers,
    providers: [{ ...provider, kind: 'api_key', secret: { env: 'UPSTREAM_KEY' } }],
    resources: options.resources.map((resource) => ({ ...resource, provider: provider.id })),
  };
}
