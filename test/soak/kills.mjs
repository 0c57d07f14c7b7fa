// A gateway killed under HTTP load, 50 times: every request that the upstream saw has its record.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', '--project', 'suites', 'test/chaos/gateway-crash.test.ts'],
  {
    cwd: root,
    env: { ...process.env, CARACAL_GATEWAY_KILLS: '50' },
    stdio: 'inherit',
  },
);
process.exitCode = status ?? 1;
