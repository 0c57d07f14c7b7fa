import { guardedOutbound, undiciTransport } from '@caracal/transport';
import { CaracalServer, type RunningServer } from './caracal-server.js';
import { type LoadedConfiguration, loadConfiguration } from './configuration/load-configuration.js';
import { ConfigurationError } from './configuration/problem.js';
import { deferred } from './deferred.js';
import { ownFront, type ServerGenerationParts, workersFront } from './front.js';
import { makeGeneration } from './generation/generation.js';
import { Generations } from './generation/generations.js';
import { KeySources } from './generation/key-sources.js';
import { closeServer } from './listening/fetch-server.js';
import {
  adminListener,
  certificatesOf,
  listen,
  tokenIssuerOf,
  tokenServiceListener,
  urlOf,
} from './listening/listeners.js';
import { causeName } from './log/fault-log.js';
import { type Log, ndjsonLog } from './log/log.js';
import { serverMetrics } from './metrics/server-metrics.js';
import type { RunningListener } from './server-status.js';
import { warnAtStart } from './start-warnings.js';
import { openState, type ServerState } from './state/open-state.js';
import { measureResources, tellOfRows } from './state/resource-feed.js';
import { PROGRAM_VERSION } from './version.js';
import { SharedRevocations } from './workers/shared-revocations.js';

/** Options of {@link startServer}. */
export interface StartOptions {
  /** Default: NDJSON on standard error. */
  readonly log?: Log;
  /** Where `{ env }` secrets are read. Default `process.env`. */
  readonly environment?: NodeJS.ProcessEnv;
  /** What `reload()` loads. Default: the file it was loaded from. */
  readonly load?: () => Promise<LoadedConfiguration>;
  /** Processes that serve the gateway's listener; this one then serves the others. Default: none, and this one serves all. */
  readonly workers?: number;
  /** Where signed heads go, if the configuration says `stdout`. Default `process.stdout`. */
  readonly stdout?: { write(text: string): unknown };
}

/**
 * Starts everything a configuration names: gateway, token service, admin endpoint, on its listeners.
 *
 * @throws ConfigurationError; ListenError; DirectoryLockedError and StorageError of `@caracal/file`. Nothing is left
 * running then.
 */
export async function startServer(loaded: LoadedConfiguration, options: StartOptions = {}): Promise<RunningServer> {
  const closing: (() => Promise<unknown>)[] = [];
  try {
    return await start(loaded, options, closing);
  } catch (cause) {
    for (const close of closing.reverse()) await close().catch(() => {}); // what failed first is what counts
    throw cause;
  }
}

async function start(
  loaded: LoadedConfiguration,
  options: StartOptions,
  closing: (() => Promise<unknown>)[],
): Promise<RunningServer> {
  const { configuration } = loaded;
  const { environment = process.env, log = ndjsonLog(process.stderr), stdout = process.stdout } = options;
  const metrics = serverMetrics(PROGRAM_VERSION);
  const certificates = await certificatesOf(configuration);
  const opened = await openState(configuration, { environment, log, stdout });
  closing.push(() => opened.close());
  opened.postgres?.measure(metrics.registry);
  const shared =
    options.workers === undefined || opened.revoked === undefined
      ? undefined
      : new SharedRevocations(opened.revocations);
  const state: ServerState = shared === undefined ? opened : { ...opened, revocations: shared };
  const transport = undiciTransport();
  const outbound = guardedOutbound();
  closing.push(
    () => transport.close(),
    () => outbound.close(),
  );

  // Bound before anything is made, for a port that the system chooses is part of the issuer; answered once all is.
  const started = deferred<CaracalServer>();
  started.promise.catch(() => {}); // told by the throw below
  const tokens = tokenServiceListener(configuration, certificates.tokenService, started.promise);
  const admin = adminListener(configuration, certificates.admin, started.promise);
  closing.push(async () => {
    started.reject(new Error('the server did not start'));
    await Promise.all([tokens, admin].map(async (server) => server?.listening && (await closeServer(server, 0))));
  });
  const tokenPort = tokens === undefined ? undefined : await listen('tokenService', tokens, configuration);
  const parts: ServerGenerationParts = {
    state,
    keySources: new KeySources(outbound, log),
    outbound,
    telemetry: metrics.telemetry,
    environment,
    log,
    tokenIssuer: tokenIssuerOf(configuration, tokenPort),
    onRefusedRow: (warning) => tellOfRows(log, warning),
  };
  const first = await makeGeneration(loaded, parts);
  const generations = new Generations(first);
  if (state.resourceFeed !== undefined) {
    measureResources(metrics.registry, state.resourceFeed, () => generations.current.directory);
  }
  closing.push(async () => {
    await generations.close({ drainTimeoutMs: 1 });
    await generations.release();
  });
  const front =
    options.workers === undefined
      ? await ownFront(configuration, generations, transport, certificates, closing)
      : await workersFront(options.workers, { generations, parts, shared, metrics }, closing);
  const adminPort = admin === undefined ? undefined : await listen('admin', admin, configuration);
  const listeners: RunningListener[] = [
    { name: 'gateway', url: urlOf('gateway', configuration, front.port)! },
    ...(tokens === undefined
      ? []
      : [{ name: 'tokenService', url: urlOf('tokenService', configuration, tokenPort)! } as const]),
    ...(admin === undefined ? [] : [{ name: 'admin', url: urlOf('admin', configuration, adminPort)! } as const]),
  ];
  const server = new CaracalServer({
    servers: { gateway: front.server, tokenService: tokens, admin },
    drain: front.drain,
    workers: front.workers,
    generations,
    parts,
    metrics,
    transport,
    outbound,
    listeners,
    load: options.load ?? (() => loadConfiguration(loaded.file)),
  });
  started.resolve(server);
  warnAtStart(configuration, log);
  return server;
}

/** For whoever starts a server: why it could not. Fixed text, and no secret. */
export function startFault(cause: unknown): string {
  if (cause instanceof ConfigurationError) return cause.message;
  return cause instanceof Error ? cause.message : (causeName(cause) ?? 'unknown');
}
