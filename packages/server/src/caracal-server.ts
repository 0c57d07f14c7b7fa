import type { Server } from 'node:http';
import type { Gateway, Outbound, RevocationStore, Transport } from '@caracal/core';
import type { Journal } from '@caracal/file';
import type { TokenService } from '@caracal/sts';
import type { Configuration } from './configuration/configuration.js';
import type { LoadedConfiguration } from './configuration/load-configuration.js';
import { Resealing } from './connect/resealing.js';
import type { ServerGenerationParts } from './front.js';
import { type Generation, generationFault, makeGeneration } from './generation/generation.js';
import type { Generations } from './generation/generations.js';
import { closeServer } from './listening/fetch-server.js';
import { CertificateReload } from './listening/listener-tls.js';
import { type Certificates, certificatesOf, LISTENERS } from './listening/listeners.js';
import type { ServerMetrics } from './metrics/server-metrics.js';
import { keepUnchangeable } from './reload/keep-unchangeable.js';
import type { ReloadResult } from './reload/reload-result.js';
import type { ListenerName, RunningListener, ServerStatus } from './server-status.js';
import { PROGRAM_VERSION } from './version.js';
import type { WorkerPool } from './workers/worker-pool.js';

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

/** What a server that runs is made of. */
export interface ServerParts {
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

/** The parts that run: tells of them, reloads them, and ends them. */
export class CaracalServer implements RunningServer {
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

function restartProblem(unchanged: readonly string[]) {
  if (unchanged.length === 0) return [];
  const fault = `differs in ${unchanged.join(', ')}, which only a restart changes, and the rest does not fit what is running`;
  return [{ path: '', fault, remedy: 'restart with this file' }];
}
