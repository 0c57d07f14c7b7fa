import type { Server } from 'node:http';
import type { Configuration } from './configuration/configuration.js';
import { parseListen } from './configuration/listen.js';
import type { GenerationParts } from './generation/generation.js';
import type { Generations } from './generation/generations.js';
import { preparePlace } from './listening/bind.js';
import { gatewayServer } from './listening/gateway-server.js';
import { type Certificates, listen } from './listening/listeners.js';
import type { ServerMetrics } from './metrics/server-metrics.js';
import type { ServerState } from './state/open-state.js';
import type { SharedRevocations } from './workers/shared-revocations.js';
import { keysToTell } from './workers/worker-issuer.js';
import type { WorkerPool } from './workers/worker-pool.js';

/** What every configuration of one server is made with. */
export interface ServerGenerationParts extends GenerationParts {
  readonly state: ServerState;
}

/** What serves the gateway's listener: a server of this process, or workers. */
export interface Front {
  readonly server: Server | undefined;
  readonly workers: WorkerPool | undefined;
  readonly port: number | undefined;
  drain(options: { readonly timeoutMs: number }): Promise<void>;
}

/** Serves the gateway's listener in this process. */
export async function ownFront(
  configuration: Configuration,
  generations: Generations,
  transport: Parameters<typeof gatewayServer>[2],
  certificates: Certificates,
  closing: (() => Promise<unknown>)[],
): Promise<Front> {
  const { server, drain } = gatewayServer(generations, configuration.gateway, transport, certificates.gateway);
  closing.push(async () => server.listening && (await drain({ timeoutMs: 1 })));
  return { server, workers: undefined, port: await listen('gateway', server, configuration), drain };
}

/** Starts workers that serve the gateway's listener. */
export async function workersFront(
  count: number,
  {
    generations,
    parts,
    shared,
    metrics,
  }: {
    readonly generations: Generations;
    readonly parts: ServerGenerationParts;
    readonly shared: SharedRevocations | undefined;
    readonly metrics: ServerMetrics;
  },
  closing: (() => Promise<unknown>)[],
): Promise<Front> {
  const { environment, log, state, tokenIssuer } = parts;
  const { listen } = generations.current.loaded.configuration.gateway;
  const { WorkerPool } = await import('./workers/worker-pool.js');
  const keys = keysToTell(() => generations.current.tokens);
  const workers = new WorkerPool({
    count,
    state,
    revocations: shared,
    environment,
    log,
    port: await preparePlace('gateway', parseListen(listen)!),
    tokenIssuer,
    keys,
    current: () => generations.current.loaded,
    issue: async (asked) => {
      const issued = await generations.current.tokens!.issue(asked);
      // Its cause is ours, and stays here.
      return 'error' in issued ? { error: issued.error, reason: issued.reason } : issued;
    },
    counted: (taken) => metrics.registry.add(taken),
  });
  closing.push(() => workers.close(1));
  await workers.start();
  const drain = async ({ timeoutMs }: { readonly timeoutMs: number }): Promise<void> => {
    await workers.close(timeoutMs);
    await generations.close({ drainTimeoutMs: timeoutMs });
  };
  return { server: undefined, workers, port: workers.port, drain };
}
