import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Starts the gateway of the soak runs in a process of its own, in front of one upstream. */
export async function startGatewayProcess(issuer, upstreamUrl) {
  const child = fork(fileURLToPath(new URL('./gateway-child.mjs', import.meta.url)), { execArgv: ['--expose-gc'] });
  const ask = async (message) => {
    child.send(message);
    const [answer] = await once(child, 'message');
    return answer;
  };
  const { port } = await ask({ issuer: issuer.issuer, keys: issuer.jwks().keys, upstreamUrl });
  return {
    port,
    /** Resident memory after a collection, bytes. */
    rss: async () => (await ask('rss')).rss,
    /** Resolves when the revocation is in force; gives how long that took inside the process, by the clock and of the CPU, ms. */
    revoke: (anchor) => ask({ revoke: anchor }),
    stop: () => child.kill(),
  };
}
