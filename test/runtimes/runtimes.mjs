import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DENO_GAPS, NODE_GAPS } from './gaps.mjs';

const run = promisify(execFile);
const NODE_PATH = ['-p', 'process.execPath'];
const DENO_PATH = ['eval', 'console.log(Deno.execPath())'];
const SUBJECT = fileURLToPath(new URL('subject.mjs', import.meta.url));

/**
 * Where the HTTP suite runs. `executable` answers the path of the runtime, which comes from npm like everything else;
 * `gaps` are cases that cannot pass there, by name, each with its reason.
 */
export const RUNTIMES = [
  { name: 'node-20', executable: async () => process.execPath, args: [], gaps: NODE_GAPS },
  { name: 'node-22', executable: () => fromNpm('node@22.23.3', 'node', NODE_PATH), args: [], gaps: NODE_GAPS },
  { name: 'node-24', executable: () => fromNpm('node@24.21.0', 'node', NODE_PATH), args: [], gaps: NODE_GAPS },
  { name: 'deno', executable: () => fromNpm('deno@2.9.6', 'deno', DENO_PATH), args: ['run', '-A'], gaps: DENO_GAPS },
];

/** The command that serves a gateway under a runtime. */
export async function subjectCommand({ executable, args }) {
  return [await executable(), ...args, SUBJECT];
}

/** The path of a runtime that comes from npm. It is asked itself: npm exec as a parent would swallow signals meant for it. */
export async function fromNpm(specifier, command, args) {
  const { stdout } = await run('npm', ['exec', '--yes', `--package=${specifier}`, '--', command, ...args]);
  return stdout.trim();
}
