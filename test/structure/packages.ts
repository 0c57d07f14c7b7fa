import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** A package of ours and where it lies. */
export interface WorkspacePackage {
  /** Without the scope: `core`. */
  readonly name: string;
  readonly directory: string;
}

/** Every package under packages/. */
export const packages: readonly WorkspacePackage[] = readdirSync(`${root}/packages`)
  .map((name) => ({ name, directory: `${root}/packages/${name}` }))
  .filter(({ directory }) => existsSync(`${directory}/package.json`));

/** The built files of a package: what was bundled, and its types. */
export function builtFiles({ name, directory }: WorkspacePackage): readonly string[] {
  const dist = `${directory}/dist`;
  if (!existsSync(`${dist}/index.js`)) throw new Error(`@caracal/${name} is not built; run pnpm build`);
  return readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(js|d\.ts)$/.test(file))
    .map((file) => `${dist}/${file}`);
}
