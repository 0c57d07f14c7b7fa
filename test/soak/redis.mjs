// Redis killed, paused, cut off and emptied under two gateways, a minute each: nothing revoked is accepted, nothing hangs.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const { status } = spawnSync(process.execPath, [vitest, 'run', '--project', 'suites', 'test/chaos/redis.test.ts'], {
  cwd: root,
  env: { ...process.env, CARACAL_REDIS_OUTAGE_MS: '60000' },
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
