import type { IncomingMessage, Server } from 'node:http';
import type { Gateway, Outbound, RevocationStore, Transport } from '@caracal/core';
import type { Journal } from '@caracal/file';
import { peerReader } from '@caracal/node';
import type { RequestOrigin, TokenService } from '@caracal/sts';
import { guardedOutbound, undiciTransport } from '@caracal/transport';
import type { Configuration, ListenerTlsConfiguration } from './configuration/configuration.js';
import { isLocal, originOf, parseListen } from './configuration/listen.js';
import { type LoadedConfiguration, loadConfiguration } from './configuration/load-configuration.js';
import { ConfigurationError } from './configuration/problem.js';
import { Resealing } from './connect/resealing.js';
import { deferred } from './deferred.js';
import { type Generation, type GenerationParts, generationFault, makeGeneration } from './generation/generation.js';
import { Generations } from './generation/generations.js';
import { KeySources } from './generation/key-sources.js';
import { bind, preparePlace } from './listening/bind.js';
import { type Answer, closeServer, type DirectAnswer, fetchServer } from './listening/fetch-server.js';
import { gatewayServer } from './listening/gateway-server.js';
import { type Certificate, CertificateReload, readCertificate } from './listening/listener-tls.js';
import { causeName } from './log/fault-log.js';
import { type Log, ndjsonLog } from './log/log.js';
import { type ServerMetrics, serverMetrics } from './metrics/server-metrics.js';
import { keepUnchangeable } from './reload/keep-unchangeable.js';
import type { ReloadResult } from './reload/reload-result.js';
import type { ListenerName, RunningListener, ServerStatus } from './server-status.js';
import { openState, type ServerState } from './state/open-state.js';
import { measureResources, tellOfRows } from './state/resource-feed.js';
import { PROGRAM_VERSION } from './version.js';
import { SharedRevocations } from './workers/shared-revocations.js';
import { keysToTell } from './workers/worker-issuer.js';
import type { WorkerPool } from './workers/worker-pool.js';

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

/** A server that runs. */
export interface RunningServer {
  readonly listeners: readonly RunningListener[];
  /** Decides by the configuration in force. `close` it through the server. */
  readonly gateway: Gateway;
  /** The token service in force; `undefined` where the configuration has none. */
  readonly tokenService: TokenService | undefined;
  readonly journal: Journal;
  readonly revocations: RevocationStore;
  /** The configuration in force. */
  readonly configuration: Configuration;
  status(): ServerStatus;
  /** Loads the configuration again and puts it into force; where that is not possible nothing changes. Never rejects. */
  reload(): Promise<ReloadResult>;
  /** Drains: answers what is under way, cuts what takes longer than `drainTimeoutMs`, and leaves nothing behind. Idempotent. */
  close(): Promise<void>;
}

/** For answers of the token service and the admin endpoint to be written once draining is over, ms. */
const CLOSE_TIMEOUT_MS = 2_000;

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

interface ServerGenerationParts extends GenerationParts {
  readonly state: ServerState;
}

/** What serves the gateway's listener: a server of this process, or workers. */
interface Front {
  readonly server: Server | undefined;
  readonly workers: WorkerPool | undefined;
  readonly port: number | undefined;
  drain(options: { readonly timeoutMs: number }): Promise<void>;
}

async function ownFront(
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

async function workersFront(
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

interface ServerParts {
  readonly workers: WorkerPool | undefined;
  readonly servers: {
    readonly gateway: Server | undefined;
    readonly tokenService: Server | undefined;
    readonly admin: Server | undefined;
  };
  readonly drain: (options: { readonly timeoutMs: number }) => Promise<void>;
  readonly generations: Generations;
  readonly parts: ServerGenerationParts;
  readonly metrics: ServerMetrics;
  readonly transport: Transport<never> | { close(): Promise<void> };
  readonly outbound: Outbound & { close(): Promise<void> };
  readonly listeners: readonly RunningListener[];
  readonly load: () => Promise<LoadedConfiguration>;
}

const LISTENERS: readonly ListenerName[] = ['gateway', 'tokenService', 'admin'];

class CaracalServer implements RunningServer {
  readonly listeners: readonly RunningListener[];
  readonly gateway: Generations;
  readonly #server: ServerParts;
  readonly #startedAt = Date.now();
  readonly #certificates = new Map<ListenerName, CertificateReload>();
  readonly #stopping = new AbortController();
  readonly #resealing: Resealing;
  #loadedAt = new Date();
  #lastReload: ServerStatus['lastReload'] = null;
  #reloading: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #admin: Promise<{ fetch(request: Request): Response | Promise<Response> }> | undefined;

  constructor(server: ServerParts) {
    this.#server = server;
    this.listeners = server.listeners;
    this.gateway = server.generations;
    for (const name of LISTENERS) {
      const files = this.configuration[name]?.tls;
      const listener = server.servers[name];
      if (files === undefined || listener === undefined) continue;
      this.#certificates.set(name, new CertificateReload(name, listener, files, server.parts.log));
    }
    this.#resealing = new Resealing(server.parts.state.connections, server.parts.log);
    this.#resealing.begin(this.gateway.current);
    const { registry } = server.metrics;
    registry.gauge('caracal_live_exchanges', 'Exchanges under way.', () => this.#liveExchanges);
    if (server.workers !== undefined) {
      registry.gauge('caracal_workers', 'Processes that serve.', () => server.workers!.size);
    }
    registry.gauge(
      'caracal_retiring_configurations',
      'Former configurations with requests under way.',
      () => this.gateway.retiring,
    );
    registry.gauge(
      'caracal_uptime_seconds',
      'Since the start of the server.',
      () => (Date.now() - this.#startedAt) / 1000,
    );
    registry.gauge('process_resident_memory_bytes', 'Memory of the process.', () => process.memoryUsage.rss());
  }

  get tokenService(): TokenService | undefined {
    return this.gateway.current.tokens;
  }

  get journal(): Journal {
    return this.#server.parts.state.journal;
  }

  get revocations(): RevocationStore {
    return this.#server.parts.state.revocations;
  }

  get configuration(): Configuration {
    return this.gateway.current.loaded.configuration;
  }

  status(): ServerStatus {
    const { file, version } = this.gateway.current.loaded;
    return {
      version: PROGRAM_VERSION,
      gatewayId: this.configuration.gateway.id,
      zone: this.configuration.zone,
      startedAt: new Date(this.#startedAt).toISOString(),
      uptimeSeconds: Math.floor((Date.now() - this.#startedAt) / 1000),
      draining: this.#closing !== undefined,
      liveExchanges: this.#liveExchanges,
      retiringConfigurations: this.gateway.retiring,
      configuration: { version, file, loadedAt: this.#loadedAt.toISOString() },
      lastReload: this.#lastReload,
      listeners: this.listeners,
      ...(this.#server.workers === undefined ? {} : { workers: this.#server.workers.size }),
      ...this.#directoryStatus(),
    };
  }

  #directoryStatus(): Pick<ServerStatus, 'resourceDirectory'> {
    const { resourceFeed } = this.#server.parts.state;
    const { directory } = this.gateway.current;
    if (resourceFeed === undefined || directory === undefined) return {};
    const { accepted, refused } = directory.rows();
    return {
      resourceDirectory: {
        resources: accepted.length,
        refused: refused.map(({ document: _, ...row }) => row),
        fault: resourceFeed.status().fault ?? null,
      },
    };
  }

  get #liveExchanges(): number {
    return this.gateway.liveExchanges + (this.#server.workers?.liveExchanges ?? 0);
  }

  /** Answers a request to the admin endpoint, which is made when it is first asked: a start has better things to do. */
  async answerAdmin(request: Request): Promise<Response> {
    this.#admin ??= this.#adminApp();
    return (await this.#admin).fetch(request);
  }

  reload(): Promise<ReloadResult> {
    // One after another: what was read later is in force later.
    const reloaded = this.#reloading.then(() => this.#reload());
    this.#reloading = reloaded;
    return reloaded;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #adminApp() {
    const { adminApp } = await import('./admin/admin-app.js');
    const { generations, parts, metrics } = this.#server;
    return adminApp({
      generations,
      state: parts.state,
      registry: metrics.registry,
      log: parts.log,
      status: () => this.status(),
      notReady: () => this.#notReady(),
      reload: () => this.reload(),
      anchorDefaults: () => this.#anchorDefaults(),
      connections: { connect: () => this.gateway.current.connect, zone: () => this.configuration.zone },
      closing: this.#stopping.signal,
      workers: this.#server.workers,
    });
  }

  #notReady(): readonly string[] {
    const { state } = this.#server.parts;
    const stale = performance.now() - state.revocations.freshAsOf() > this.configuration.gateway.maxStalenessMs;
    return [
      ...(this.#closing === undefined ? [] : ['draining']),
      ...(stale ? ['revocation_unavailable'] : []),
      ...(this.#server.workers?.size === 0 ? ['no_workers'] : []),
      ...state.troubles(),
    ];
  }

  #anchorDefaults() {
    const { zone, issuers } = this.configuration;
    const only = issuers.length === 1 ? issuers[0]!.issuer : undefined;
    return { zone, issuer: this.tokenService?.issuer ?? only };
  }

  async #reload(): Promise<ReloadResult> {
    const { log } = this.#server.parts;
    const result = await this.#tryReload();
    this.#server.metrics.reloaded(result.ok);
    this.#lastReload = { at: new Date().toISOString(), ...result };
    if (result.ok) {
      this.#loadedAt = new Date();
      log({ level: 'info', event: 'configuration_reloaded', version: result.version });
      if (result.unchanged.length > 0) {
        log({ level: 'warn', event: 'restart_needed', unchanged: result.unchanged });
      }
    } else {
      for (const { path, fault, remedy, line } of result.problems) {
        log({ level: 'error', event: 'configuration_kept', path, line, fault, remedy });
      }
    }
    return result;
  }

  async #tryReload(): Promise<ReloadResult> {
    if (this.#closing !== undefined) {
      return { ok: false, problems: [{ path: '', fault: 'the server is stopping', remedy: 'start it again' }] };
    }
    try {
      const next = await this.#server.load();
      const { configuration, unchanged, problems } = keepUnchangeable(this.configuration, next.configuration);
      if (problems.length > 0) {
        const told = problems.map(({ steps: _, ...problem }) => problem);
        return { ok: false, problems: [...told, ...restartProblem(unchanged)] };
      }
      // Everything that can fail comes before anything that changes.
      const certificates = await certificatesOf(configuration);
      const generation = await makeGeneration({ ...next, configuration }, this.#server.parts);
      const { workers } = this.#server;
      const refused = (await workers?.prepare(generation.loaded)) ?? [];
      if (refused.length > 0) {
        await generation.gateway.close();
        await generation.close();
        return { ok: false, problems: refused };
      }
      this.#putIntoForce(generation, certificates);
      await workers?.commit(generation.loaded);
      await workers?.tellKeys();
      return { ok: true, version: next.version, unchanged };
    } catch (cause) {
      return { ok: false, problems: generationFault(cause) };
    }
  }

  #putIntoForce(generation: Generation, certificates: Certificates): void {
    this.#server.generations.replace(generation);
    this.#resealing.begin(generation);
    for (const [name, reload] of this.#certificates) {
      reload.use(certificates[name]!, this.configuration[name]!.tls!);
    }
  }

  async #close(): Promise<void> {
    const { servers, drain, generations, parts, transport, outbound } = this.#server;
    parts.log({ level: 'info', event: 'draining', liveExchanges: this.#liveExchanges });
    await this.#reloading;
    await this.#resealing.close();
    for (const certificate of this.#certificates.values()) certificate.close();
    await Promise.all([
      drain({ timeoutMs: this.configuration.gateway.drainTimeoutMs }),
      servers.tokenService === undefined ? undefined : closeServer(servers.tokenService, CLOSE_TIMEOUT_MS),
    ]);
    await generations.release();
    // The admin endpoint tells of the draining until it is over.
    this.#stopping.abort();
    if (servers.admin !== undefined) await closeServer(servers.admin, CLOSE_TIMEOUT_MS);
    await Promise.all([transport.close(), outbound.close()]);
    await parts.state.close();
    parts.log({ level: 'info', event: 'stopped' });
  }
}

type Certificates = Readonly<Partial<Record<ListenerName, Certificate>>>;

async function certificatesOf(configuration: Configuration): Promise<Certificates> {
  const certificates: Partial<Record<ListenerName, Certificate>> = {};
  for (const name of LISTENERS) {
    const files: ListenerTlsConfiguration | undefined = configuration[name]?.tls;
    if (files !== undefined) certificates[name] = await readCertificate(name, files);
  }
  return certificates;
}

function tokenServiceListener(
  { tokenService }: Configuration,
  certificate: Certificate | undefined,
  started: Promise<CaracalServer>,
): Server | undefined {
  if (tokenService === undefined) return undefined;
  const peerOf = peerReader(tokenService.trustedProxies);
  const askedBy = ({ socket, rawHeaders }: IncomingMessage): RequestOrigin => {
    const peer = peerOf(socket.remoteAddress ?? '', rawHeaders);
    return peer === '' ? {} : { peer };
  };
  let running: CaracalServer | undefined;
  started.then(
    (server) => {
      running = server;
    },
    () => {}, // told by whoever started
  );
  const answer: Answer = async (request, incoming) => (await started).gateway.answerToken(request, askedBy(incoming));
  const direct: DirectAnswer = (incoming, outgoing) =>
    running?.gateway.listenToken(incoming, outgoing, () => askedBy(incoming)) ?? false;
  return fetchServer(answer, certificate, direct);
}

function adminListener(
  { admin }: Configuration,
  certificate: Certificate | undefined,
  started: Promise<CaracalServer>,
): Server | undefined {
  if (admin === undefined) return undefined;
  return fetchServer(async (request) => (await started).answerAdmin(request), certificate);
}

function listen(name: ListenerName, server: Server, configuration: Configuration): Promise<number | undefined> {
  return bind(name, server, parseListen(configuration[name]!.listen)!);
}

function urlOf(name: ListenerName, configuration: Configuration, port: number | undefined): string | undefined {
  const listener = configuration[name];
  return listener === undefined ? undefined : originOf(parseListen(listener.listen)!, listener.tls !== undefined, port);
}

function tokenIssuerOf(configuration: Configuration, port: number | undefined): string | undefined {
  return configuration.tokenService?.issuer ?? urlOf('tokenService', configuration, port);
}

function restartProblem(unchanged: readonly string[]) {
  if (unchanged.length === 0) return [];
  const fault = `differs in ${unchanged.join(', ')}, which only a restart changes, and the rest does not fit what is running`;
  return [{ path: '', fault, remedy: 'restart with this file' }];
}

function warnAtStart(configuration: Configuration, log: Log): void {
  if (configuration.sealing === undefined) {
    const message =
      'the sealing key lies in the state directory, beside what it seals: give sealing.keys, kept elsewhere';
    log({ level: 'warn', event: 'sealing_key_beside', message });
  }
  for (const name of ['gateway', 'tokenService'] as const) {
    const listener = configuration[name];
    if (listener === undefined || listener.tls !== undefined || isLocal(parseListen(listener.listen)!)) continue;
    const message =
      'serves plain text beyond loopback: mandates and secrets can be read on the way; give tls, or put a proxy with TLS in front';
    log({ level: 'warn', event: 'plain_text', listener: name, message });
  }
}

/** For whoever starts a server: why it could not. Fixed text, and no secret. */
export function startFault(cause: unknown): string {
  if (cause instanceof ConfigurationError) return cause.message;
  return cause instanceof Error ? cause.message : (causeName(cause) ?? 'unknown');
}
