import cluster, { type Worker } from 'node:cluster';
import type { Socket } from 'node:net';
import type { Journal } from '@caracal/file';
import { parseListen } from '../configuration/listen.js';
import type { LoadedConfiguration } from '../configuration/load-configuration.js';
import type { ConfigurationProblem } from '../configuration/problem.js';
import { deferred } from '../deferred.js';
import { ListenError } from '../listening/bind.js';
import { causeName } from '../log/fault-log.js';
import type { Log, LogEntry } from '../log/log.js';
import type { TakenMetrics } from '../metrics/metric-registry.js';
import type { ServerState } from '../state/open-state.js';
import { type Answers, Channel } from './channel.js';
import { RecordIntake } from './record-intake.js';
import type { SharedRevocations, ToldRevocation } from './shared-revocations.js';
import { storeAnswers } from './store-answers.js';
import type { ToldKeys } from './worker-issuer.js';
import { type Beginning, type Prepared, RECORDS_FD, WORKER_VARIABLE, type WorkerFault } from './worker-protocol.js';
import type { FreshAnswer } from './worker-revocations.js';

/** What workers are run with. */
export interface WorkerPoolOptions {
  readonly count: number;
  readonly state: ServerState;
  /** `undefined` where every worker reads revocations, replays and limits by itself, from a server they share. */
  readonly revocations: SharedRevocations | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly port: number | undefined;
  readonly tokenIssuer: string | undefined;
  /** The configuration in force. */
  current(): LoadedConfiguration;
  /** Public keys of the token service in force. */
  keys(): ToldKeys | undefined;
  issue(options: never): Promise<unknown>;
  /** What workers have counted. */
  counted(metrics: TakenMetrics): void;
}

interface Running {
  readonly process: Worker;
  readonly channel: Channel;
  readonly ended: Promise<void>;
  loaded: LoadedConfiguration;
  liveExchanges: number;
  state: 'starting' | 'told' | 'serving' | 'retiring';
  untell: (() => void) | undefined;
  readonly startedAt: number;
}

/** A worker that has not begun by then is ended, ms. */
const START_TIMEOUT_MS = 60_000;
/** A worker that does not take a revocation in by then is ended: it must not go on without it. ms */
const NEWS_TIMEOUT_MS = 10_000;
const RELOAD_TIMEOUT_MS = 30_000;
/** Beyond its drain, for a worker to end by itself, ms. */
const END_TIMEOUT_MS = 5_000;
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;
/** A worker that lived this long did not die of its start, ms. */
const SOUND_MS = 30_000;
/** Revocations of one message at the beginning. */
const SNAPSHOT_PART = 2_000;

/** The processes that serve the gateway's listener, for one that owns everything they share. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #stores: Answers;
  readonly #workers = new Set<Running>();
  #changing: Promise<unknown> = Promise.resolve();
  #closed = false;
  #backoffMs = FIRST_BACKOFF_MS;
  #backoff: NodeJS.Timeout | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#stores = storeAnswers(options.state);
  }

  /** Starts all of them. @throws ListenError, or Error for a worker that did not begin */
  async start(): Promise<void> {
    // Every worker accepts by itself: a primary that is busy, or stopped, keeps no connection waiting.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    // Texts pass as they are, without being escaped and read again.
    const given = cluster.settings.silent ? 'pipe' : 'inherit';
    cluster.setupPrimary({ serialization: 'advanced', stdio: [given, given, given, 'ipc', 'pipe'] });
    await Promise.all(Array.from({ length: this.#options.count }, () => this.#start()));
  }

  /** Of the listener. */
  get port(): number | undefined {
    return this.#options.port;
  }

  /** Workers that serve. */
  get size(): number {
    return this.#serving().length;
  }

  /** As they told last, within a second. */
  get liveExchanges(): number {
    let live = 0;
    for (const { liveExchanges } of this.#workers) live += liveExchanges;
    return live;
  }

  /** Has every worker make this configuration; where one cannot, none takes it. Answers what is wrong. */
  prepare(loaded: LoadedConfiguration): Promise<readonly ConfigurationProblem[]> {
    return this.#oneByOne(async () => {
      const answers = await Promise.all(
        this.#serving().map((worker) =>
          worker.channel
            .ask<Prepared>({ code: 'internal_error', timeoutMs: RELOAD_TIMEOUT_MS }, 'prepare', loaded)
            .catch(() => ({ problems: [{ path: '', fault: 'a worker did not answer', remedy: 'try again' }] })),
        ),
      );
      return answers.find(({ problems }) => problems.length > 0)?.problems ?? [];
    });
  }

  /** Puts what was prepared into force. A worker that does not answer is replaced. */
  async commit(loaded: LoadedConfiguration): Promise<void> {
    await Promise.all(
      this.#serving().map(async (worker) => {
        worker.loaded = loaded;
        await this.#orEnd(worker, RELOAD_TIMEOUT_MS, 'commit', loaded);
      }),
    );
  }

  /** Tells every worker the public keys in force; resolves when all verify by them. */
  async tellKeys(): Promise<void> {
    const keys = this.#options.keys();
    // Those that have just been started are told them with everything else.
    const told = [...this.#workers].filter(({ state }) => state !== 'starting');
    await Promise.all(told.map((worker) => this.#orEnd(worker, NEWS_TIMEOUT_MS, 'keys', keys)));
  }

  /** Replaces every worker, one after another: the next serves before the one before it accepts no more. */
  restart(): Promise<number> {
    return this.#oneByOne(async () => {
      const before = this.#serving();
      for (const worker of before) {
        if (this.#closed) break;
        await this.#start();
        this.#retire(worker);
      }
      return before.length;
    });
  }

  /** Drains every worker and waits for its end. */
  async close(drainTimeoutMs: number): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#backoff);
    await Promise.all(
      [...this.#workers].map(async (worker) => {
        worker.state = 'retiring';
        await this.#orEnd(worker, drainTimeoutMs + END_TIMEOUT_MS, 'drain', drainTimeoutMs);
        await endedWithin(worker, END_TIMEOUT_MS);
      }),
    );
  }

  #serving(): Running[] {
    return [...this.#workers].filter(({ state }) => state === 'serving');
  }

  #oneByOne<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#changing.then(change);
    this.#changing = changed.catch(() => {}); // told to whoever asked
    return changed;
  }

  #retire(worker: Running): void {
    worker.state = 'retiring';
    // It ends by itself when its last connection has; it is told the bounds.
    worker.channel.ask({ code: 'internal_error' }, 'retire').catch(() => {}); // it ended
  }

  async #orEnd(worker: Running, timeoutMs: number, name: string, ...body: readonly unknown[]): Promise<void> {
    try {
      await worker.channel.ask({ code: 'internal_error', timeoutMs }, name, ...body);
    } catch {
      worker.process.process.kill('SIGKILL');
      await worker.ended;
    }
  }

  #start(): Promise<void> {
    const { environment, log } = this.#options;
    const process = cluster.fork({ ...environment, [WORKER_VARIABLE]: '1' });
    const begun = deferred<void>();
    const ended = deferred<void>();
    const channel = new Channel(
      { send: (message) => sendTo(process, message) },
      { ...this.#stores, ...this.#answers(() => worker, begun) },
    );
    const records = takeRecords(process, this.#options.state.journal);
    const worker: Running = {
      process,
      channel,
      ended: ended.promise,
      loaded: this.#options.current(),
      liveExchanges: 0,
      state: 'starting',
      untell: undefined,
      startedAt: performance.now(),
    };
    this.#workers.add(worker);
    const timer = setTimeout(() => process.process.kill('SIGKILL'), START_TIMEOUT_MS);
    process.on('message', (message) => channel.receive(message));
    process.once('exit', (code, signal) => {
      clearTimeout(timer);
      worker.untell?.();
      channel.close();
      this.#workers.delete(worker);
      begun.reject(new Error(`a worker ended before it served (${signal ?? code})`));
      records
        .then((intake) => intake.lost())
        .catch((cause: unknown) => log({ level: 'error', event: 'evidence_incomplete', cause: causeName(cause) }))
        .finally(() => ended.resolve());
      if (worker.state === 'retiring' || this.#closed) return;
      log({ level: 'error', event: 'worker_died', pid: process.process.pid, code, signal: signal ?? undefined });
      if (performance.now() - worker.startedAt > SOUND_MS) this.#backoffMs = FIRST_BACKOFF_MS;
      if (worker.state === 'serving') this.#startLater();
    });
    return begun.promise.then(async () => {
      clearTimeout(timer);
      worker.state = 'serving';
      log({ level: 'info', event: 'worker_started', pid: process.process.pid });
      await this.#catchUp(worker);
    });
  }

  // A configuration that was put into force while it began.
  async #catchUp(worker: Running): Promise<void> {
    const loaded = this.#options.current();
    if (worker.loaded === loaded) return;
    worker.loaded = loaded;
    await this.#orEnd(worker, RELOAD_TIMEOUT_MS, 'commit', loaded);
  }

  #startLater(): void {
    if (this.#closed) return;
    const waitMs = this.#backoffMs;
    this.#backoffMs = Math.min(MAX_BACKOFF_MS, waitMs * 2);
    this.#backoff = setTimeout(() => {
      void this.#oneByOne(async () => {
        if (this.#closed || this.size >= this.#options.count) return;
        try {
          await this.#start();
          if (this.size < this.#options.count) this.#startLater();
        } catch {
          this.#startLater(); // its end is in the log
        }
      });
    }, waitMs).unref();
  }

  // The state at this moment, and every change from then on: said in one turn, so in order.
  #tellRevocations(worker: Running): void {
    const { revocations, state } = this.#options;
    if (revocations === undefined || state.revoked === undefined) return;
    const { channel } = worker;
    let part: ToldRevocation[] = [];
    const tell = (): void => {
      channel.ask({ code: 'revocation_unavailable' }, 'revocations', part).catch(() => {}); // it ended
      part = [];
    };
    for (const [anchor, leftMs] of state.revoked()) {
      part.push({ anchor, leftMs: Number.isFinite(leftMs) ? leftMs : null });
      if (part.length === SNAPSHOT_PART) tell();
    }
    tell();
    worker.untell = revocations.addWorker((news) => this.#orEnd(worker, NEWS_TIMEOUT_MS, 'news', news));
  }

  #answers(worker: () => Running, begun: { resolve(): void; reject(cause: unknown): void }): Answers {
    const options = this.#options;
    return {
      begin: (): Beginning => {
        this.#tellRevocations(worker());
        worker().state = 'told';
        return {
          loaded: worker().loaded,
          port: options.port,
          revocations: options.revocations?.number,
          tokenIssuer: options.tokenIssuer,
          keys: options.keys(),
        };
      },
      begun: () => begun.resolve(),
      failed: ({ listen, message }: WorkerFault) => {
        if (listen === undefined) return begun.reject(new Error(message));
        const address = parseListen(options.current().configuration.gateway.listen)!;
        begun.reject(new ListenError('gateway', address, { code: listen }));
      },
      fresh: (liveExchanges: number, metrics: TakenMetrics): FreshAnswer => {
        worker().liveExchanges = liveExchanges;
        options.counted(metrics);
        const { revocations } = options;
        return {
          number: revocations?.number ?? 0,
          ageMs: revocations === undefined ? 0 : performance.now() - revocations.freshAsOf(),
          keys: options.keys(),
        };
      },
      keys: () => options.keys(),
      issue: (asked: never) => options.issue(asked),
      log: (entry: LogEntry) => options.log({ ...entry, worker: worker().process.process.pid }),
    };
  }
}

async function endedWithin(worker: Running, timeoutMs: number): Promise<void> {
  const timer = setTimeout(() => worker.process.process.kill('SIGKILL'), timeoutMs);
  await worker.ended;
  clearTimeout(timer);
}

/** Takes in what a worker records. Resolves when it has ended and everything it sent was taken. */
function takeRecords({ process }: Worker, journal: Journal): Promise<RecordIntake> {
  const socket = process.stdio[RECORDS_FD] as Socket;
  const intake = new RecordIntake(journal, (bytes) => void socket.write(bytes));
  socket.on('data', (chunk) => {
    try {
      intake.receive(chunk);
    } catch {
      process.kill('SIGKILL'); // nothing it sends can be trusted
      socket.destroy();
    }
  });
  socket.on('error', () => {}); // its end tells the same
  return new Promise((resolve) => socket.once('close', () => resolve(intake)));
}

function sendTo(process: Worker, message: unknown): void {
  if (process.isConnected()) process.send(message as object, () => {}); // its exit tells of its end
}
