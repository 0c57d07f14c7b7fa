import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startTestGateway } from '@caracal/testkit/gateway';
import { describe, expect, it } from 'vitest';
import { startCaseWorld } from './case-world.mjs';
import { documentedBlock } from './documented-blocks.js';

const directory = fileURLToPath(new URL('../../packages/client-python', import.meta.url));

/** Version of the system's Python; `undefined` where there is none that is new enough. */
function python(): string | undefined {
  try {
    const version = execFileSync('python3', ['-c', 'import sys; print(sys.version_info >= (3, 9))'], {
      encoding: 'utf8',
    });
    return version.trim() === 'True' ? 'python3' : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds where nothing else runs; a busy machine may take its time. */
const SLOWEST_MS = 180_000;

// Python is the machine's own: npm has none.
describe.skipIf(python() === undefined)('the client for Python 3.9 and later', () => {
  it(
    'passes its tests, those against a running gateway too',
    async () => {
      const world = await startCaseWorld();
      try {
        const profile = await (await fetch(`${world.url}/profile`)).json();
        const environment = {
          PATH: process.env.PATH,
          HOME: process.env.HOME,
          PYTHONPATH: `${directory}/src`,
          PYTHONDONTWRITEBYTECODE: '1',
          WORLD_URL: world.url,
          CARACAL_GATEWAY_URL: profile.gatewayUrl,
          CARACAL_TOKEN_URL: profile.tokenUrl,
          CARACAL_ZONE: profile.zone,
          CARACAL_APPLICATION_ID: profile.applicationId,
          CARACAL_APPLICATION_SECRET_ENV: 'AGENT_SECRET',
          AGENT_SECRET: profile.applicationSecret,
          CARACAL_RESOURCES: profile.resources[0].identifier,
        };
        const run = promisify(execFile)(
          'python3',
          ['-W', 'error', '-m', 'unittest', 'discover', '-s', `${directory}/tests`],
          {
            env: environment,
          },
        );
        const { stderr } = await run.catch((error: { stderr: string }) => error);
        expect(stderr).toMatch(/Ran [1-9]\d tests[\s\S]*\nOK\n$/);
      } finally {
        await world.close();
      }
    },
    SLOWEST_MS,
  );

  it(
    'works as it is documented',
    async () => {
      const invoice = { id: 42, amount: 4200 };
      const gateway = await startTestGateway({
        resources: [{ identifier: 'resource://billing-api', scopes: ['billing:read'] }],
        upstream: () => ({ body: invoice }),
      });
      const { profile } = gateway;
      try {
        const env = {
          PATH: process.env.PATH,
          HOME: process.env.HOME,
          PYTHONPATH: `${directory}/src`,
          PYTHONDONTWRITEBYTECODE: '1',
          CARACAL_GATEWAY_URL: profile.gatewayUrl,
          CARACAL_TOKEN_URL: profile.tokenUrl,
          CARACAL_APPLICATION_ID: profile.applicationId,
          CARACAL_APPLICATION_SECRET: profile.applicationSecret,
        };
        const code = documentedBlock('docs/client.md', 'Python', 'python');
        const { stdout } = await promisify(execFile)('python3', ['-c', code], { env });
        expect(stdout).toBe("{'id': 42, 'amount': 4200}\n");
        expect(gateway.calls.map(({ url }) => url)).toEqual(['/v1/invoices/42']);
      } finally {
        await gateway.close();
      }
    },
    SLOWEST_MS,
  );
});
