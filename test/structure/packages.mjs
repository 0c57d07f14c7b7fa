import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/**
 * A package of ours and where it lies; its name without the scope: `core`.
 * @typedef {{ readonly name: string, readonly directory: string }} WorkspacePackage
 */

/**
 * Every package under packages/.
 * @type {readonly WorkspacePackage[]}
 */
export const packages = readdirSync(`${root}/packages`)
  .map((name) => ({ name, directory: `${root}/packages/${name}` }))
  .filter(({ directory }) => existsSync(`${directory}/package.json`));

/**
 * The built files of a package: what was bundled, and its types.
 * @param {WorkspacePackage} workspacePackage
 * @returns {readonly string[]}
 */
export function builtFiles({ name, directory }) {
  const dist = `${directory}/dist`;
  if (!existsSync(`${dist}/index.js`)) throw new Error(`@caracal/${name} is not built; run pnpm build`);
  return readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(js|d\.ts)$/.test(file))
    .map((file) => `${dist}/${file}`);
}
