import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The repository's root. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Ends the process with a remedy where Node is older than `engines.node` says. */
export function requireNode() {
  const wanted = manifest.engines.node.replace('>=', '').split('.').map(Number);
  const actual = process.versions.node.split('.').map(Number);
  const older = actual[0] < wanted[0] || (actual[0] === wanted[0] && actual[1] < wanted[1]);
  if (!older) return;
  console.error(`Caracal needs Node ${manifest.engines.node}, this is ${process.version}. Install a newer one.`);
  process.exit(1);
}

/**
 * Runs a command at the root with this terminal's output.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<boolean>} whether it ended with status 0
 */
function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', env: childEnvironment() });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(false);
    });
    child.on('exit', (code) => resolve(code === 0));
  });
}

/** Runs an installed development tool, such as `vitest`. See {@link run}. */
export function tool(name, args) {
  return run(join(root, 'node_modules', '.bin', name), args);
}

/** Runs the one pnpm that `packageManager` names, whatever is installed on this machine. See {@link run}. */
export function pnpm(args) {
  return run('npm', ['exec', '--yes', `--package=${manifest.packageManager}`, '--', 'pnpm', ...args]);
}

/** Runs the built `caracal` with these arguments, in this process: signals reach it, and its exit status is ours. */
export async function runCaracal(args) {
  const cli = join(root, 'packages', 'server', 'dist', 'cli.js');
  process.argv.splice(1, process.argv.length, cli, ...args);
  await import(pathToFileURL(cli).href);
}

/** Installs dependencies where none are, or where the lockfile has changed since. */
export async function install() {
  // pnpm keeps the lockfile it installed from: equal bytes mean there is nothing to do.
  const installed = join(root, 'node_modules', '.pnpm', 'lock.yaml');
  const wanted = readFileSync(join(root, 'pnpm-lock.yaml'));
  if (existsSync(installed) && readFileSync(installed).equals(wanted)) return true;
  console.log('Installing dependencies');
  return pnpm(['install', '--frozen-lockfile', '--reporter=append-only']);
}

/** Builds the packages whose sources are newer than what was built from them, and the examples likewise. */
export async function build() {
  const stale = packageNames().filter((name) => isStale(join('packages', name), ['index.js', 'index.d.ts']));
  if (stale.length > 0) {
    console.log(`Building ${stale.join(', ')}`);
    const filters = stale.flatMap((name) => ['--filter', `./packages/${name}`]);
    if (!(await pnpm(['-r', '--reporter-hide-prefix', '--loglevel=warn', ...filters, 'run', 'build']))) return false;
  }
  // Node 20 runs no TypeScript, so the examples are built too.
  if (!isStale('docs', exampleNames(), 'examples')) return true;
  console.log('Building the examples');
  return pnpm(['--silent', 'build:examples']);
}

function packageNames() {
  return readdirSync(join(root, 'packages')).filter((name) => existsSync(join(root, 'packages', name, 'package.json')));
}

function exampleNames() {
  return readdirSync(join(root, 'docs', 'examples'))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.replace(/\.ts$/, '.js'));
}

// The oldest output counts: a build that failed half-way has written some files and not others.
function isStale(directory, outputs, sources = 'src') {
  const built = outputs.map((name) => modified(join(root, directory, 'dist', name)));
  const inputs = [
    newest(join(root, directory, sources)),
    modified(join(root, directory, 'package.json')),
    modified(join(root, directory, 'tsconfig.json')),
    modified(join(root, 'tsconfig.json')),
    modified(join(root, 'tsup.config.ts')),
  ];
  return Math.min(...built) < Math.max(...inputs);
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

// Directories count as well: a file that was deleted shows only in them.
function newest(directory) {
  const entries = readdirSync(directory, { withFileTypes: true });
  const times = entries.map((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? newest(path) : modified(path);
  });
  return Math.max(modified(directory), ...times);
}

// npm hands its own settings down as npm_config_*, which another npm or pnpm below it warns about or obeys by mistake.
// What says where packages come from is kept.
const PASSED_ON = /^npm_config_(registry|cache|userconfig|offline|prefer_offline|proxy|https_proxy|noproxy|cafile)$/i;

function childEnvironment() {
  const kept = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || PASSED_ON.test(name));
  return { ...Object.fromEntries(kept), npm_config_loglevel: 'error', npm_config_update_notifier: 'false' };
}
