const PROXY_VARIABLES: readonly string[] = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];

/**
 * Refuses an environment in which `fetch` would do other than what a resource says. A variable that switches verification off
 * makes every upstream's certificate good; one that names a proxy hands that proxy the request, credential and all, and no
 * address that was judged is dialled. Bun can be told to take no proxy, and is.
 *
 * @param proxyPasses whether a proxy of the environment's is meant
 * @throws TypeError that says what to unset
 */
export function checkEnvironment(proxyPasses: boolean): void {
  const environment = environmentOf();
  if (environment('NODE_TLS_REJECT_UNAUTHORIZED') === '0') {
    throw new TypeError('NODE_TLS_REJECT_UNAUTHORIZED=0 turns TLS verification off: unset it');
  }
  if (proxyPasses || !obeysProxies(environment)) return;
  const named = PROXY_VARIABLES.flatMap((name) => [name, name.toLowerCase()]).find((name) => environment(name));
  if (named !== undefined) {
    throw new TypeError(
      `fetch would send every request, with its credential, to the proxy that ${named} names: unset it, or give another transport`,
    );
  }
}

function obeysProxies(environment: (name: string) => string | undefined): boolean {
  if ('Deno' in globalThis) return true;
  const node = environment('NODE_USE_ENV_PROXY');
  return (node !== undefined && node !== '0') || (environment('NODE_OPTIONS') ?? '').includes('--use-env-proxy');
}

/** Variables of the environment, where the runtime has one and lets us see it. */
function environmentOf(): (name: string) => string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return (name) => {
    try {
      return process?.env?.[name] || undefined;
    } catch {
      // Deno without the permission.
      return undefined;
    }
  };
}
