import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { nginxPath, startNginx } from './nginx.mjs';

/** What everything is compared with. */
export const BASELINE = 'relay';
/** The baseline once more: how far two equal programs differ is the error of the measurement. */
export const CONTROL = 'relay-again';

const TARGETS = [
  { name: BASELINE, program: 'proxies/relay.mjs' },
  { name: CONTROL, program: 'proxies/relay.mjs' },
  { name: 'caracal', program: 'proxies/caracal.mjs' },
  { name: 'httpxy', program: 'proxies/httpxy.mjs' },
  { name: 'http-proxy-3', program: 'proxies/http-proxy-3.mjs' },
  { name: 'fastify-http-proxy', program: 'proxies/fastify-http-proxy.mjs' },
];

/** Those that are named, or all this machine can run; the baseline and its control are always among them. */
export function chosenTargets(only) {
  const all = nginxPath() === undefined ? TARGETS : [...TARGETS, { name: 'nginx' }];
  for (const name of only ?? []) {
    if (!all.some((target) => target.name === name)) {
      throw new TypeError(`--only: no ${name} here; there are ${all.map((target) => target.name).join(', ')}`);
    }
  }
  return all.filter(({ name }) => only === undefined || name === BASELINE || name === CONTROL || only.includes(name));
}

/** Starts a target in a process of its own. */
export function start({ name, program }, config) {
  return program === undefined ? startNginx(name, config) : startChild(name, program, config);
}

export function startUpstream() {
  return startChild('upstream', 'upstream.mjs', {});
}

async function startChild(name, program, config) {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), [JSON.stringify(config)]);
  const { port } = await answer(child, name);
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    async cpuMicros() {
      child.send('cpu');
      return (await answer(child, name)).cpuMicros;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill();
      await once(child, 'exit');
    },
  };
}

async function answer(child, name) {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${name} ended with status ${code}`);
  });
  ended.catch(() => {}); // after the answer it is of no interest here
  const [message] = await Promise.race([once(child, 'message'), ended]);
  return message;
}
