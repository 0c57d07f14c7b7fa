import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { packages, root } from './packages.mjs';

/** Runs a program to its end; rejects, with what it wrote, where its status is not 0. */
export const run = promisify(execFile);

/**
 * The tarballs `pnpm pack` makes of every package, as they would be published: by name without the scope.
 * @param {string} destination
 * @returns {Promise<ReadonlyMap<string, string>>}
 */
export async function packAll(destination) {
  const { packageManager } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  const pnpm = ['exec', '--yes', `--package=${packageManager}`, '--', 'pnpm', '-r', '--filter', './packages/*'];
  const { stdout } = await run('npm', [...pnpm, 'pack', '--json', '--pack-destination', destination], { cwd: root });
  /** @type {readonly { name: string, filename: string }[]} */
  const packed = JSON.parse(stdout.slice(stdout.indexOf('[')));
  return new Map(packed.map(({ name, filename }) => [name.replace('@caracal/', ''), filename]));
}

/**
 * Lays a project out as an installation of the tarballs would: our packages unpacked from them, what they depend on
 * linked from this workspace, nothing else in reach.
 * @param {string} project
 * @param {ReadonlyMap<string, string>} tarballs
 */
export async function installTarballs(project, tarballs) {
  for (const { name, directory } of packages) {
    const installed = `${project}/node_modules/@caracal/${name}`;
    const unpacked = `${project}/unpacked-${name}`;
    mkdirSync(unpacked, { recursive: true });
    mkdirSync(dirname(installed), { recursive: true });
    await run('tar', ['-xzf', tarballs.get(name) ?? '', '-C', unpacked]);
    renameSync(`${unpacked}/package`, installed);
    rmSync(unpacked, { recursive: true });
    const { dependencies = {} } = JSON.parse(readFileSync(`${installed}/package.json`, 'utf8'));
    for (const dependency of Object.keys(dependencies).filter((each) => !each.startsWith('@caracal/'))) {
      link(`${directory}/node_modules/${dependency}`, `${installed}/node_modules/${dependency}`);
    }
  }
}

/**
 * A symbolic link, with the folders that lead to it.
 * @param {string} target
 * @param {string} path
 */
export function link(target, path) {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}
