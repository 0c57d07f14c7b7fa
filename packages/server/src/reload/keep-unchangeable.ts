import type { Configuration } from '../configuration/configuration.js';
import { deepFreeze } from '../configuration/freeze.js';
import { configurationProblems } from '../configuration/parse-configuration.js';

/** What only a restart changes: sockets are bound to it, files are open in it, or mandates and evidence name it. */
const UNCHANGEABLE: readonly string[] = [
  'zone',
  'stores',
  'gateway.listen',
  'gateway.trustedProxies',
  'gateway.headersTimeoutMs',
  'gateway.keepAliveTimeoutMs',
  'gateway.audit.retentionDays',
  'gateway.audit.signingKey',
  'gateway.audit.heads',
  'tokenService.listen',
  'tokenService.issuer',
  'tokenService.trustedProxies',
  'admin.listen',
];
/** What can be changed, but neither added nor removed. */
const PERMANENT: readonly string[] = ['tokenService', 'admin', 'gateway.tls', 'tokenService.tls', 'admin.tls'];

/** A configuration that can be put into force now, and what of the new one waits for a restart. */
export interface Changeable {
  readonly configuration: Configuration;
  readonly unchanged: readonly string[];
  /** What is wrong with the two together. */
  readonly problems: ReturnType<typeof configurationProblems>;
}

/** The next configuration, with what only a restart changes as it is running. */
export function keepUnchangeable(running: Configuration, next: Configuration): Changeable {
  const merged = structuredClone(next) as Record<string, unknown>;
  const unchanged: string[] = [];
  for (const path of PERMANENT) {
    const before = at(running, path);
    if ((before === undefined) === (at(merged, path) === undefined)) continue;
    put(merged, path, before);
    unchanged.push(path);
  }
  for (const path of UNCHANGEABLE) {
    const before = at(running, path);
    if (JSON.stringify(before) === JSON.stringify(at(merged, path))) continue;
    put(merged, path, before);
    unchanged.push(path);
  }
  if (unchanged.length === 0) return { configuration: next, unchanged, problems: [] };
  const configuration = deepFreeze(merged) as unknown as Configuration;
  return { configuration, unchanged, problems: configurationProblems(configuration) };
}

function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((member, name) => (member as Record<string, unknown> | undefined)?.[name], value);
}

function put(value: Record<string, unknown>, path: string, member: unknown): void {
  const names = path.split('.');
  const last = names.pop()!;
  const holder = at(value, names.join('.')) as Record<string, unknown> | undefined;
  const target = names.length === 0 ? value : holder;
  if (target === undefined) return; // its whole is kept
  if (member === undefined) delete target[last];
  else target[last] = structuredClone(member);
}
