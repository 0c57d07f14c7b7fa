import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { packages, root } from './packages.js';

/** Runs a program to its end; rejects, with what it wrote, where its status is not 0. */
export const run = promisify(execFile);

/** The tarballs `pnpm pack` makes of every package, as they would be published: by name without the scope. */
export async function packAll(destination: string): Promise<ReadonlyMap<string, string>> {
  const { packageManager } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  const pnpm = ['exec', '--yes', `--package=${packageManager}`, '--', 'pnpm', '-r', '--filter', './packages/*'];
  const { stdout } = await run('npm', [...pnpm, 'pack', '--json', '--pack-destination', destination], { cwd: root });
  const packed: readonly { name: string; filename: string }[] = JSON.parse(stdout.slice(stdout.indexOf('[')));
  return new Map(packed.map(({ name, filename }) => [name.replace('@caracal/', ''), filename]));
}

/**
 * Lays a project out as an installation of the tarballs would: our packages unpacked from them, what they depend on
 * linked from this workspace, nothing else in reach.
 */
export async function installTarballs(project: string, tarballs: ReadonlyMap<string, string>): Promise<void> {
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

/** A symbolic link, with the folders that lead to it. */
export function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}
