// 1,000 reloads of the whole server under load: no request is lost, and memory does not grow. Figures go to docs/soak.md.
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { Agent, createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const RELOADS = Number(process.env.CARACAL_RELOADS ?? 1000);
const CALLERS = 8;
const ALLOWED_GROWTH_MIB = 48;
const MIB = 1024 * 1024;

const upstream = createServer((req, res) => {
  req.resume();
  res.end('{"invoice":42}');
});
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');
const directory = await mkdtemp(join(tmpdir(), 'caracal-reloads-'));
const file = join(directory, 'caracal.config.json');
const [agentSecret, adminToken] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];

/** Each version differs in its resources: half of them come and go. */
function configuration(version) {
  const resource = (identifier) => ({
    identifier,
    scopes: ['read'],
    upstreamUrl: `http://127.0.0.1:${upstream.address().port}`,
    allowPrivateNetwork: true,
  });
  return {
    gateway: { listen: 0, id: `gateway-${version}` },
    tokenService: {
      listen: 0,
      applications: [
        { id: 'agent', secret: { env: 'AGENT_SECRET' }, grants: [{ resource: 'resource://soak', scopes: ['read'] }] },
      ],
    },
    resources: [
      resource('resource://soak'),
      ...Array.from({ length: 50 }, (_, index) => resource(`resource://version-${version}-${index}`)),
    ],
    admin: { listen: 0, token: { env: 'ADMIN_TOKEN' } },
  };
}

await write(0);
const child = fork(fileURLToPath(new URL('./server-child.mjs', import.meta.url)), [file], {
  execArgv: ['--expose-gc'],
  env: { ...process.env, AGENT_SECRET: agentSecret, ADMIN_TOKEN: adminToken },
});
const [{ listeners }] = await once(child, 'message');
const url = Object.fromEntries(listeners.map(({ name, url: text }) => [name, text]));

const mandate = await newMandate();
const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });
const statuses = new Map();
let calling = true;
const callers = Array.from({ length: CALLERS }, async () => {
  while (calling) {
    const status = await call().catch((error) => error.code ?? error.message);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
});

let warm = 0;
for (let version = 1; version <= RELOADS; version++) {
  await write(version);
  const result = await ask({ reload: true });
  if (!result.ok) throw new Error(JSON.stringify(result));
  // The first reloads fill caches and pools.
  if (version === Math.ceil(RELOADS / 5)) warm = (await ask({ memory: true })).heapUsed;
}
calling = false;
await Promise.all(callers);
agent.destroy();
// Former generations end within a quarter of a second of their last request.
let last = await ask({ memory: true });
for (let tries = 0; last.retiring > 0 && tries < 200; tries++) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  last = await ask({ memory: true });
}
const growth = (last.heapUsed - warm) / MIB;
const calls = [...statuses.values()].reduce((sum, count) => sum + count, 0);
console.log(`| reloads | calls | other than 200 | heap after a fifth | heap in the end | generations left |`);
console.log(`|---|---|---|---|---|---|`);
console.log(
  `| ${RELOADS} | ${calls} | ${calls - (statuses.get(200) ?? 0)} | ${(warm / MIB).toFixed(1)} MiB | ${(last.heapUsed / MIB).toFixed(1)} MiB | ${last.retiring} |`,
);
child.kill('SIGTERM');
await once(child, 'exit');
upstream.closeAllConnections();
upstream.close();
await rm(directory, { recursive: true });
if (statuses.size !== 1 || !statuses.has(200) || growth > ALLOWED_GROWTH_MIB || last.retiring > 0) {
  console.error('a request was lost, memory has grown, or a former configuration is still there:', [...statuses]);
  process.exitCode = 1;
}

async function write(version) {
  await writeFile(`${file}.new`, JSON.stringify(configuration(version)));
  await rename(`${file}.new`, file);
}

async function newMandate() {
  const answer = await fetch(`${url.tokenService}/oauth/2/token`, {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from(`agent:${agentSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: 'resource://soak' }),
  });
  return (await answer.json()).access_token;
}

function call() {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${mandate}`, 'X-Caracal-Resource': 'resource://soak' };
    const req = request(`${url.gateway}/v1/x`, { agent, headers }, (res) => {
      res.on('error', reject).resume();
      res.on('end', () => resolve(res.statusCode));
    });
    req.on('error', reject).end();
  });
}

async function ask(message) {
  child.send(message);
  const [answer] = await once(child, 'message');
  return answer;
}
