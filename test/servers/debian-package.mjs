import { spawnSync } from 'node:child_process';

/**
 * Makes a program that is no npm package available: found on this machine, else installed by apt-get where this process may.
 *
 * @param {{ program: string, package: string, isHere: () => boolean }} wanted
 * @throws Error that names what is missing and the remedy
 */
export function requireDebianPackage({ program, package: name, isHere }) {
  if (isHere()) return;
  // Several processes may come here at once: each waits for the lock, and the last finds it installed.
  const lock = ['-o', 'DPkg::Lock::Timeout=300', '-qq'];
  // No service is to start on its own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  spawnSync('apt-get', [...lock, 'update'], { stdio: 'ignore' });
  spawnSync('apt-get', [...lock, 'install', '-y', '--no-install-recommends', name], { stdio: 'ignore', env });
  if (isHere()) return;
  throw new Error(
    `These tests need ${program}. Install it (apt-get install ${name}, brew install ${name}), or run the tests once as root on Debian or Ubuntu.`,
  );
}
