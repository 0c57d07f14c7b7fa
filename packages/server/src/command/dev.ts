import { join } from 'node:path';
import { isDirectoryLocked } from '@caracal/file';
import type { RunningServer } from '../caracal-server.js';
import { configurationOf } from '../configuration/load-configuration.js';
import { defineCommand, type Invocation } from '../frame/command.js';
import { failed, wrongUse } from '../frame/command-error.js';
import { systemFault } from '../frame/system-fault.js';
import type { LogEntry } from '../log/log.js';
import { startServer } from '../server.js';
import { startDemoUpstream } from './demo-upstream.js';
import {
  DEV_APPLICATION,
  DEV_PATH,
  DEV_RESOURCE,
  devConfiguration,
  devDirectory,
  makeDevSecrets,
  writeDevConfiguration,
} from './dev-configuration.js';
import { evidenceLine } from './evidence-text.js';
import { freePorts } from './free-ports.js';
import { type CheckMandate, type ReadinessWorld, readinessChecks } from './readiness.js';
import { readinessHeader, readinessLine } from './readiness-text.js';
import { startError } from './start-error.js';

const FIRST_PORT = 8080;

/** Warnings that keys lie beside what they protect: here that is meant, and help says so. */
const BESIDE: readonly string[] = ['sealing_key_beside', 'audit_signing_key_beside'];

const OPTIONS = {
  once: { type: 'boolean', help: 'ends after the checks, with their result as the exit status' },
  port: { type: 'string', value: 'N', help: `first of four ports; default ${FIRST_PORT}, 0 lets the system choose` },
} as const;

export const dev = defineCommand({
  name: 'dev',
  summary: 'runs everything on loopback in one process, with a demo API behind it, and shows that it governs',
  options: OPTIONS,
  details: [
    'Token service, gateway, admin endpoint and a billing API that demands a key, on ports 8080 to 8083, or on others where one of these is taken. ' +
      'Then five readiness checks with real calls, a call to paste, and the evidence of every call as it happens. Ctrl-C ends it.',
    'State and secrets are under .caracal/dev, with the configuration. Other commands in the same directory find it there: ' +
      'caracal mandate, revoke, explain, check, audit. Keys lie beside what they protect: for trying out, and no more.',
  ],
  examples: ['caracal dev', 'caracal dev --once'],
  endsOnSignal: true,
  async run(invocation) {
    const { options, output, signal } = invocation;
    const running = await start(invocation);
    try {
      const failures = await check(invocation, running.server);
      if (options.once || signal.aborted) return failures === 0 ? 0 : 1;
      await showCall(invocation, running.server);
      for await (const { record } of running.server.journal.follow({ signal })) {
        await output.tell(evidenceLine(record), record);
        if (output.closed) break;
      }
      return 0;
    } finally {
      await running.close();
    }
  },
});

interface RunningDev {
  readonly server: RunningServer;
  close(): Promise<void>;
}

async function start({ options, output, cwd, env }: Invocation<typeof OPTIONS>): Promise<RunningDev> {
  const firstPort = portOf(options.port);
  const directory = devDirectory(cwd);
  // Before anything is written: the configuration there is that of the one that runs.
  if (await isDirectoryLocked(join(directory, 'audit'))) {
    throw failed(`${directory} is in use by another caracal dev; end it first, or run this in another directory`);
  }
  const [tokenService = 0, gateway = 0, admin = 0, upstream = 0] = await freePorts(firstPort, 4);
  const { upstreamKey } = await makeDevSecrets(cwd).catch((cause: unknown) => {
    throw failed(systemFault(directory, cause));
  });
  const configuration = devConfiguration({ tokenService, gateway, admin, upstream });
  const demo = await startDemoUpstream(upstream, upstreamKey);
  try {
    await writeDevConfiguration(cwd, configuration);
    const log = (entry: LogEntry) => {
      if (entry.level !== 'info' && !BESIDE.includes(entry.event)) output.note(String(entry.message ?? entry.event));
    };
    const server = await startServer(configurationOf(configuration, directory), { log, environment: env });
    for (const listener of server.listeners) await output.object({ event: 'listening', ...listener });
    await output.object({ event: 'listening', name: 'upstream', url: demo.url });
    await output.text(
      `gateway on http://127.0.0.1:${gateway}, in front of a billing API on ${demo.url} that demands a key\n` +
        `token service on http://127.0.0.1:${tokenService}, admin endpoint on http://127.0.0.1:${admin}\n`,
    );
    const close = async () => {
      await server.close();
      await demo.close();
    };
    return { server, close };
  } catch (cause) {
    await demo.close();
    throw startError(cause);
  }
}

async function check({ output }: Invocation<typeof OPTIONS>, server: RunningServer): Promise<number> {
  const world = worldOf(server);
  let failures = 0;
  await output.text(readinessHeader());
  for (const resource of server.configuration.resources) {
    for await (const row of readinessChecks(world, resource)) {
      if (row.result !== 'passed') failures += 1;
      await output.tell(readinessLine(row), { resource: resource.identifier, ...row });
    }
  }
  const text = failures === 0 ? 'ready: all five checks passed' : `not ready: ${failures} of five checks failed`;
  await output.tell(`\n${text}`, { event: failures === 0 ? 'ready' : 'not_ready', failures });
  return failures;
}

/** In this process: no secret has to be hashed for a mandate. */
function worldOf({ configuration, tokenService, revocations, journal }: RunningServer): ReadinessWorld {
  const { zone } = configuration;
  return {
    configuration,
    mandate: (wanted) => issue(tokenService, wanted),
    revokeSession: (sid) =>
      revocations.revoke({ zoneId: zone, issuer: tokenService?.issuer ?? '', kind: 'sid', id: sid }),
    evidence: async (requestId) => (await journal.trace(requestId)).records.map(({ record }) => record),
  };
}

async function issue(
  tokenService: RunningServer['tokenService'],
  { applicationId, resource, scopes }: CheckMandate,
): Promise<string> {
  const issued = await tokenService?.issue({ applicationId, resources: [resource], scopes });
  if (issued === undefined || !('mandate' in issued))
    throw failed('the token service issues no mandate for the checks');
  return issued.mandate;
}

async function showCall({ output }: Invocation<typeof OPTIONS>, server: RunningServer): Promise<void> {
  const mandate = await issue(server.tokenService, {
    applicationId: DEV_APPLICATION,
    resource: DEV_RESOURCE,
    scopes: ['billing:read'],
  });
  const url = `${server.listeners.find(({ name }) => name === 'gateway')?.url}${DEV_PATH}`;
  await output.object({ event: 'try', url, resource: DEV_RESOURCE, mandate });
  await output.text(
    [
      '\nTry it; the mandate is good for 15 minutes, and caracal mandate gets another:\n',
      `curl ${url} \\`,
      `  -H 'X-Caracal-Resource: ${DEV_RESOURCE}' \\`,
      `  -H 'Authorization: Bearer ${mandate}'`,
      '\nIn another terminal, in this directory: caracal check, revoke, explain, audit query; caracal --help tells of all.',
      '\nEvidence of each call, as it happens; Ctrl-C ends:\n',
    ].join('\n'),
  );
}

function portOf(text: string | undefined): number {
  if (text === undefined) return FIRST_PORT;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_532) throw wrongUse('--port is a number from 0 to 65532');
  return Number(text);
}
