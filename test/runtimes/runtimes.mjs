import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const NODE_PATH = ['-p', 'process.execPath'];
const DENO_PATH = ['eval', 'console.log(Deno.execPath())'];
const BUN_PATH = ['-e', 'console.log(process.execPath)'];
const SUBJECT = fileURLToPath(new URL('subject.mjs', import.meta.url));

const thisNode = async () => process.execPath;
const node24 = () => fromNpm('node@24.21.0', 'node', NODE_PATH);
const deno = () => fromNpm('deno@2.9.6', 'deno', DENO_PATH);
const bun = () => fromNpm('bun@1.4.5', 'bun', BUN_PATH);

/**
 * Where the HTTP suite runs. `executable` answers the path of the runtime, which comes from npm like everything else;
 * `adapter` is what `subject.mjs` serves; `raw`: it sees requests as they came. What cannot pass somewhere is in `gaps.mjs`, under the name.
 */
export const RUNTIMES = [
  { name: 'node-20', adapter: 'node', raw: true, executable: thisNode, args: [] },
  {
    name: 'node-22',
    adapter: 'node',
    raw: true,
    executable: () => fromNpm('node@22.23.3', 'node', NODE_PATH),
    args: [],
  },
  { name: 'node-24', adapter: 'node', raw: true, executable: node24, args: [] },
  { name: 'deno', adapter: 'deno', raw: true, executable: deno, args: ['run', '-A'] },
  { name: 'deno-serve', adapter: 'deno-serve', raw: false, executable: deno, args: ['run', '-A'] },
  { name: 'bun', adapter: 'bun', raw: false, executable: bun, args: ['run'] },
  { name: 'koa', adapter: 'koa', raw: true, executable: node24, args: [] },
  { name: 'express', adapter: 'express', raw: true, executable: node24, args: [] },
  { name: 'fastify', adapter: 'fastify', raw: true, executable: node24, args: [] },
  { name: 'hono', adapter: 'hono', raw: false, executable: node24, args: [] },
];

/** The command that serves a gateway under a runtime. */
export async function subjectCommand({ executable, args, adapter }) {
  return [await executable(), ...args, SUBJECT, adapter];
}

/** The path of a runtime that comes from npm. It is asked itself: npm exec as a parent would swallow signals meant for it. */
async function fromNpm(specifier, command, args) {
  const { stdout } = await run('npm', ['exec', '--yes', `--package=${specifier}`, '--', command, ...args]);
  return stdout.trim();
}
