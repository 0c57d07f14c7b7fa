import cluster from 'node:cluster';
import type { Server } from 'node:http';
import { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { RevocationStore } from '@caracal/core';
import type { Attachment } from '@caracal/node';
import { guardedOutbound, undiciTransport } from '@caracal/transport';
import { parseListen } from '../configuration/listen.js';
import type { LoadedConfiguration } from '../configuration/load-configuration.js';
import { type Generation, type GenerationParts, generationFault, makeGeneration } from '../generation/generation.js';
import { Generations } from '../generation/generations.js';
import { KeySources } from '../generation/key-sources.js';
import { ListenError, listenAsWorker } from '../listening/bind.js';
import { gatewayServer } from '../listening/gateway-server.js';
import { type Certificate, CertificateReload, readCertificate } from '../listening/listener-tls.js';
import { causeName } from '../log/fault-log.js';
import type { LogEntry } from '../log/log.js';
import { serverMetrics } from '../metrics/server-metrics.js';
import type { GatewayStores } from '../state/open-state.js';
import { openRedisStores } from '../state/redis-stores.js';
import { openResourceFeed } from '../state/resource-feed.js';
import { PROGRAM_VERSION } from '../version.js';
import { Channel } from './channel.js';
import { RecordLane } from './record-lane.js';
import type { RevocationNews, ToldRevocation } from './shared-revocations.js';
import { type ToldKeys, WorkerIssuer } from './worker-issuer.js';
import { type Beginning, type Prepared, RECORDS_FD, WORKER_VARIABLE, type WorkerFault } from './worker-protocol.js';
import { proofIntervalMs, WorkerRevocations } from './worker-revocations.js';
import { workerStores } from './worker-stores.js';

/** Whether this process was started by a server as one of its workers: then it does nothing but {@link runWorker}. */
export function isWorkerProcess(environment: NodeJS.ProcessEnv = process.env): boolean {
  return cluster.isWorker && environment[WORKER_VARIABLE] === '1';
}

/** For revocations to be known, ms: without them it serves all the same, and refuses. */
const FRESH_TIMEOUT_MS = 15_000;
const FRESH_PAUSE_MS = 20;
/** For what was told last to be out, ms. */
const LAST_WORDS_MS = 1_000;

/**
 * Serves the gateway's listener for the process that started this one, and ends when that does, or when it is told to.
 * Signals are for the other process: it tells its workers what to do.
 */
export async function runWorker(): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  const worker = new GatewayWorker();
  process.on('message', (message) => worker.channel.receive(message));
  try {
    await worker.start();
    await worker.ended;
  } catch (cause) {
    const listen = cause instanceof ListenError ? cause.code : undefined;
    const message = cause instanceof Error ? cause.message : 'unknown';
    const fault: WorkerFault = { message, ...(listen === undefined ? {} : { listen }) };
    const options = { code: 'internal_error', timeoutMs: LAST_WORDS_MS } as const;
    await worker.channel.ask(options, 'failed', fault).catch(() => {}); // its exit says the same
    process.exit(1);
  }
  process.exit(0);
}

interface Serving {
  readonly server: Server;
  readonly attachment: Attachment;
  readonly generations: Generations;
  readonly parts: GenerationParts;
  readonly certificate: CertificateReload | undefined;
}

interface Next {
  readonly generation: Generation;
  readonly certificate: Certificate | undefined;
}

class GatewayWorker {
  readonly channel: Channel;
  readonly ended: Promise<void>;
  readonly #revocations: WorkerRevocations;
  readonly #records = recordLane();
  /** What this process has opened for itself. */
  readonly #opened: { close(): Promise<void> }[] = [];
  readonly #metrics = serverMetrics(PROGRAM_VERSION);
  #issuer: WorkerIssuer | undefined;
  #serving: Serving | undefined;
  #next: Next | undefined;
  #drained: Promise<void> | undefined;
  #end!: () => void;
  #proof: NodeJS.Timeout | undefined;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.channel = new Channel(
      { send: (message) => void (process.connected && process.send!(message, undefined, undefined, () => {})) },
      {
        revocations: (part: readonly ToldRevocation[]) => this.#revocations.load(part),
        news: (news: RevocationNews) => this.#taken(news),
        keys: (keys: ToldKeys | undefined) => (keys === undefined ? undefined : this.#issuer?.take(keys)),
        prepare: (loaded: LoadedConfiguration) => this.#prepare(loaded),
        commit: (loaded: LoadedConfiguration) => this.#commit(loaded),
        retire: () => void this.#retire(),
        drain: (timeoutMs: number) => this.#drain(timeoutMs),
      },
    );
    this.#revocations = new WorkerRevocations(this.channel);
  }

  async start(): Promise<void> {
    const { channel } = this;
    const log = (entry: LogEntry): void => {
      channel.ask({ code: 'internal_error' }, 'log', entry).catch(() => {}); // there is nobody to tell
    };
    const { loaded, port, revocations, tokenIssuer, keys } = await channel.ask<Beginning>(
      { code: 'internal_error' },
      'begin',
    );
    const { gateway, stores } = loaded.configuration;
    this.#revocations.begin(revocations ?? 0);
    let state: GatewayStores = workerStores(channel, this.#records, this.#revocations, gateway.portTimeoutMs);
    if (stores.redis !== undefined) {
      const { close, ...shared } = await openRedisStores(stores.redis, process.env, log);
      this.#opened.push({ close });
      state = { ...state, ...shared };
    }
    const resources = await openResourceFeed(loaded.configuration, { environment: process.env, log });
    if (resources !== undefined) {
      this.#opened.push(resources);
      state = { ...state, resourceFeed: resources.feed };
    }
    if (keys !== undefined) {
      this.#issuer = new WorkerIssuer(keys.issuer, channel, gateway.portTimeoutMs);
      await this.#issuer.take(keys);
    }
    const outbound = guardedOutbound();
    const parts: GenerationParts = {
      state,
      keySources: new KeySources(outbound, log),
      outbound,
      telemetry: this.#metrics.telemetry,
      environment: process.env,
      log,
      tokenIssuer,
      remoteIssuer: this.#issuer,
      onRefusedRow: () => {}, // told by the process that owns it, which judges the same rows
    };
    const certificate = await certificateOf(loaded);
    const generations = new Generations(await makeGeneration(loaded, parts));
    const { server, ...attachment } = gatewayServer(generations, gateway, undiciTransport(), certificate);
    const { tls } = gateway;
    this.#serving = {
      server,
      attachment,
      generations,
      parts,
      certificate: tls === undefined ? undefined : new CertificateReload('gateway', server, tls, log),
    };
    await this.#prove();
    await untilFresh(state.revocations);
    await listenAsWorker('gateway', server, parseListen(gateway.listen)!, port);
    await channel.ask({ code: 'internal_error' }, 'begun');
  }

  get #gatewayConfiguration() {
    return this.#serving!.generations.current.loaded.configuration.gateway;
  }

  // A worker that missed a change must not go on.
  async #taken(news: RevocationNews): Promise<void> {
    try {
      await this.#revocations.take(news);
    } catch (cause) {
      this.#serving?.parts.log({ level: 'error', event: 'worker_fault', cause: causeName(cause) });
      setImmediate(() => process.exit(1));
      throw cause;
    }
  }

  /** Proves that the revocations are complete, tells what was counted, and does so again. */
  async #prove(): Promise<void> {
    clearTimeout(this.#proof);
    const { generations } = this.#serving!;
    const { maxStalenessMs } = this.#gatewayConfiguration;
    try {
      // What is not answered in time is asked again: counts that were taken are on their way all the same.
      const answer = await this.#revocations.prove(
        Math.max(1_000, maxStalenessMs),
        generations.liveExchanges,
        this.#metrics.registry.take(),
      );
      if (answer.keys !== undefined) await this.#issuer?.take(answer.keys);
    } catch {
      // Stale meanwhile: requests are refused.
    }
    this.#proof = setTimeout(() => void this.#prove(), proofIntervalMs(maxStalenessMs));
  }

  async #prepare(loaded: LoadedConfiguration): Promise<Prepared> {
    await this.#next?.generation.close();
    this.#next = undefined;
    try {
      const certificate = await certificateOf(loaded);
      this.#next = { generation: await makeGeneration(loaded, this.#serving!.parts), certificate };
      return { problems: [] };
    } catch (cause) {
      return { problems: generationFault(cause).map(({ path, fault, remedy }) => ({ path, fault, remedy })) };
    }
  }

  async #commit(loaded: LoadedConfiguration): Promise<void> {
    if (this.#next?.generation.loaded.version !== loaded.version) {
      const { problems } = await this.#prepare(loaded);
      if (problems.length > 0) throw new Error('the configuration cannot be put into force here');
    }
    const { generation, certificate } = this.#next!;
    this.#next = undefined;
    const { generations, certificate: reload } = this.#serving!;
    generations.replace(generation);
    if (certificate !== undefined) reload?.use(certificate, this.#gatewayConfiguration.tls!);
  }

  async #retire(): Promise<void> {
    const { drainTimeoutMs, keepAliveTimeoutMs } = this.#gatewayConfiguration;
    // Connections without a request end of themselves by then.
    await this.#serving!.attachment.retire({ timeoutMs: Math.min(drainTimeoutMs, keepAliveTimeoutMs) });
    await this.#drain(drainTimeoutMs);
  }

  #drain(timeoutMs: number): Promise<void> {
    this.#drained ??= this.#drainOnce(timeoutMs);
    return this.#drained;
  }

  async #drainOnce(timeoutMs: number): Promise<void> {
    const { attachment, generations, certificate } = this.#serving!;
    certificate?.close();
    await attachment.drain({ timeoutMs });
    await generations.release();
    clearTimeout(this.#proof);
    const last = { code: 'internal_error', timeoutMs: LAST_WORDS_MS } as const;
    await Promise.all([
      Promise.race([this.#records.settled(), pause(LAST_WORDS_MS)]),
      this.channel.ask(last, 'fresh', 0, this.#metrics.registry.take()).catch(() => {}), // it is ending
    ]);
    for (const { close } of this.#opened) await close();
    // Its answer to whoever asked for the drain goes first.
    setTimeout(this.#end, 10);
  }
}

function recordLane(): RecordLane {
  const socket = new Socket({ fd: RECORDS_FD, readable: true, writable: true });
  const lane = new RecordLane({
    send: (bytes) => {
      socket.write(bytes);
      return socket.writableLength === 0;
    },
  });
  socket.on('data', (chunk) => lane.receive(chunk));
  socket.on('error', () => {}); // its end tells the same
  socket.on('close', () => lane.close());
  return lane;
}

/** What it reads of a shared server is complete a moment after it has begun: until then it would refuse what others serve. */
async function untilFresh(revocations: RevocationStore): Promise<void> {
  const until = performance.now() + FRESH_TIMEOUT_MS;
  while (revocations.freshAsOf() === Number.NEGATIVE_INFINITY && performance.now() < until) await pause(FRESH_PAUSE_MS);
}

async function certificateOf({ configuration: { gateway } }: LoadedConfiguration): Promise<Certificate | undefined> {
  return gateway.tls === undefined ? undefined : readCertificate('gateway', gateway.tls);
}
