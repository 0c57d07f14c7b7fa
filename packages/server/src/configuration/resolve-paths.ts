import { resolve } from 'node:path';

/** Members of listeners' `tls` that are paths. */
const TLS_PATHS = ['cert', 'key'] as const;
const LISTENERS = ['gateway', 'tokenService', 'admin'] as const;

/** Makes every path of a parsed configuration absolute, from the directory of its file. Changes it in place. */
export function resolvePaths(configuration: object, baseDirectory: string): void {
  resolveReferences(configuration, baseDirectory);
  const { stores } = configuration as { stores: { stateDirectory: string } };
  stores.stateDirectory = resolve(baseDirectory, stores.stateDirectory);
  for (const name of LISTENERS) {
    const listener = (configuration as Record<string, { tls?: Record<string, string>; listen: unknown } | undefined>)[
      name
    ];
    if (listener === undefined) continue;
    const { tls, listen } = listener;
    if (tls !== undefined) for (const member of TLS_PATHS) tls[member] = resolve(baseDirectory, tls[member]!);
    if (typeof listen === 'string' && listen.startsWith('unix:')) {
      listener.listen = `unix:${resolve(baseDirectory, listen.slice('unix:'.length))}`;
    }
  }
}

function resolveReferences(value: unknown, baseDirectory: string): void {
  if (typeof value !== 'object' || value === null) return;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only![0] === 'file' && typeof only![1] === 'string') {
    (value as { file: string }).file = resolve(baseDirectory, only![1]);
    return;
  }
  for (const [, member] of entries) resolveReferences(member, baseDirectory);
}
