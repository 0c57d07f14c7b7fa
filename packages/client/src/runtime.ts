/** What of Node, Deno and Bun is used, where it is there; a browser has none of it. */
interface HostProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  getBuiltinModule?(name: 'node:fs'): { readFileSync(path: string, encoding: 'utf8'): string };
}

const host = (): HostProcess | undefined => (globalThis as { process?: HostProcess }).process;

/** A variable of the environment; `undefined` where it is empty or there is no environment. */
export function environmentVariable(name: string): string | undefined {
  return host()?.env?.[name] || undefined;
}

/** A file's text. No module is imported for it, so that one build serves every runtime. @throws where it cannot be read */
export function readTextFile(path: string): string {
  const files = host()?.getBuiltinModule?.('node:fs');
  if (files === undefined)
    throw new TypeError('createClient: files cannot be read in this runtime; give the options instead');
  return files.readFileSync(path, 'utf8');
}
