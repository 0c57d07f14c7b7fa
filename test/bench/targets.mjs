import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { nginxPath, startNginx } from './nginx.mjs';

/** What everything is compared with. */
export const BASELINE = 'relay';
/** The baseline once more: how far two equal programs differ is the error of the measurement. */
export const CONTROL = 'relay-again';

const RELAY = { program: 'proxies/relay.mjs' };

/** A gateway with its evidence in a journal on disk. */
const gateway = (config) => ({
  program: 'proxies/caracal.mjs',
  config: { sink: 'journal', durability: 'written', ...config },
});

/** The same with what else a process may share: a token service, Redis, PostgreSQL. */
const sharing = (config) => ({ program: 'proxies/shared.mjs', config });
const minting = sharing({ mints: true, redis: true });
/** `caracal serve`. What its processes use stands in /proc. */
const served = (config) => ({ program: 'proxies/served.mjs', config, isHere: () => process.platform === 'linux' });

/** The relay as {@link served} is: alone, or in workers. */
const relayed = (config) => ({ ...served(config), program: 'proxies/relayed.mjs' });

const TARGETS = {
  [BASELINE]: RELAY,
  [CONTROL]: RELAY,
  'relay, beside a flood': { program: 'proxies/relay-refusing.mjs' },
  'relay, OpenTelemetry': { program: 'proxies/relay-telemetry.mjs' },
  'caracal, memory': gateway({ sink: 'memory' }),
  'caracal, buffered': gateway({ durability: 'buffered' }),
  'caracal, written': gateway({}),
  'caracal, written again': gateway({}),
  'caracal, beside a flood': gateway({}),
  'caracal, synced': gateway({ durability: 'synced' }),
  'caracal, 100 resources': gateway({ otherResources: 99 }),
  'caracal, 10,000 resources': gateway({ otherResources: 9_999 }),
  'caracal, OpenTelemetry': gateway({ telemetry: true }),
  'caracal, minted': minting,
  'caracal, minted again': minting,
  'caracal, journal alone': sharing({}),
  'caracal, journal alone again': sharing({}),
  'caracal, Redis': sharing({ redis: true }),
  'caracal, Redis and PostgreSQL': sharing({ redis: true, postgres: true }),
  'relay serving': relayed({}),
  'relay, 2 workers': relayed({ workers: 2 }),
  'caracal serve': served({}),
  'caracal serve again': served({}),
  'caracal serve, 2 workers': served({ workers: 2 }),
  httpxy: { program: 'proxies/httpxy.mjs' },
  'http-proxy-3': { program: 'proxies/http-proxy-3.mjs' },
  'fastify-http-proxy': { program: 'proxies/fastify-http-proxy.mjs' },
  nginx: { isHere: () => nginxPath() !== undefined, start: startNginx },
};

/** Whether this machine has what a target needs. */
export function isHere(name) {
  return TARGETS[name].isHere?.() ?? true;
}

/** Starts a target in a process of its own: `{ name, url, usage(), stop() }`. */
export function start(name, config) {
  const target = TARGETS[name];
  return target.start === undefined
    ? startChild(name, target.program, { ...config, ...target.config })
    : target.start(name, config);
}

/** Starts the upstream: `raw` answers 1 kB and parses nothing, `bodies` takes and gives bodies of any size and event streams. */
export function startUpstream(kind) {
  return startChild('upstream', `upstreams/${kind}.mjs`, {});
}

const ANSWER_MS = 60_000;
const STOP_MS = 5_000;

async function startChild(name, program, config) {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), [JSON.stringify(config)]);
  const target = {
    name,
    url: '',
    async usage() {
      child.send('usage');
      return answer(child, name);
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill();
      const harder = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(harder);
    },
  };
  try {
    const { port } = await answer(child, name);
    target.url = `http://127.0.0.1:${port}`;
    return target;
  } catch (cause) {
    await target.stop();
    throw cause;
  }
}

async function answer(child, name) {
  const patience = new AbortController();
  const { signal } = patience;
  const timer = setTimeout(() => patience.abort(), ANSWER_MS);
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`${name} ended with status ${code}`);
  });
  ended.catch(() => {}); // after the answer it is of no interest here
  try {
    const [message] = await Promise.race([once(child, 'message', { signal }), ended]);
    return message;
  } catch (cause) {
    throw signal.aborted ? new Error(`${name} did not answer within ${ANSWER_MS / 1000} s`) : cause;
  } finally {
    clearTimeout(timer);
    patience.abort();
  }
}
