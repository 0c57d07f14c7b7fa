import type { Socket } from 'node:net';
import type { TransportFailure } from '@caracal/core';
import { Connection } from './connection.js';
import { dialFailure } from './failure.js';
import { type DialTarget, guardedDial } from './guarded-dial.js';
import type { ResolvedTransportOptions } from './options.js';

/** Who wants a connection; one of the two is called once, `onConnection` perhaps before `acquire` has returned. */
export interface Waiter {
  onConnection(connection: Connection): void;
  onNoConnection(failure: TransportFailure): void;
}

/** Gives up waiting; nothing is called after it. Idempotent. */
export type CancelWait = () => void;

interface Wait {
  readonly waiter: Waiter;
  readonly timer: ReturnType<typeof setTimeout>;
  /** Set while a connection is being made for this one. */
  cancelDial: (() => void) | undefined;
}

/**
 * The connections to one origin under one address policy and one set of TLS options.
 *
 * A dial belongs to the request it was begun for: giving the request up closes the dial's socket, and nobody is handed a
 * failure that is another's. Who finds no room for a dial waits in line, first come, first served.
 */
export class ConnectionPool {
  readonly #origin: string;
  readonly #target: DialTarget;
  readonly #options: ResolvedTransportOptions;
  readonly #onEmpty: (pool: ConnectionPool) => void;
  readonly #connections = new Set<Connection>();
  /** The one used last is used next, so that what a burst opened can end. */
  readonly #idle: Connection[] = [];
  readonly #dialling = new Set<Wait>();
  readonly #line = new Set<Wait>();
  #retired = false;
  #closed = false;
  /** For whoever keeps pools: when this one was used last, on a counter of theirs. */
  lastUse = 0;

  constructor(
    origin: string,
    target: DialTarget,
    options: ResolvedTransportOptions,
    onEmpty: (pool: ConnectionPool) => void,
  ) {
    this.#origin = origin;
    this.#target = target;
    this.#options = options;
    this.#onEmpty = onEmpty;
  }

  /** Finds the waiter an idle connection, or makes one, or lets it wait for one, all of it within `timeoutMs`. */
  acquire(waiter: Waiter, timeoutMs: number): CancelWait | undefined {
    const idle = this.#takeIdle();
    if (idle !== undefined) {
      waiter.onConnection(idle);
      return undefined;
    }
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      waiter.onNoConnection({ kind: 'unreachable', cause: new Error(refusal) });
      return undefined;
    }
    const wait: Wait = { waiter, timer: setTimeout(() => this.#expire(wait), timeoutMs), cancelDial: undefined };
    if (this.#full) this.#line.add(wait);
    else this.#dial(wait);
    return () => this.#cancel(wait);
  }

  /** Closes what is idle, and every other connection as soon as its request is complete. */
  retire(): void {
    this.#retired = true;
    // As in #release: nobody waits for these.
    for (const connection of this.#idle.splice(0)) void connection.close();
  }

  /** Closes every connection at once and fails whoever waits. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const wait of [...this.#line, ...this.#dialling]) {
      this.#cancel(wait);
      wait.waiter.onNoConnection({ kind: 'unreachable', cause: new Error('the transport is closed') });
    }
    this.#idle.length = 0;
    await Promise.all(Array.from(this.#connections, (connection) => connection.close()));
  }

  /** Whether it holds no connection and makes none. */
  get empty(): boolean {
    return this.#open === 0;
  }

  get #open(): number {
    return this.#connections.size + this.#dialling.size;
  }

  get #full(): boolean {
    return this.#open >= this.#options.maxConnections;
  }

  #refusal(): string | undefined {
    if (this.#closed) return 'the transport is closed';
    if (this.#full && this.#line.size >= this.#options.maxWaiting) return 'too many requests wait for a connection';
    return undefined;
  }

  #takeIdle(): Connection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      // One that has just closed, and whose `close` event is still to come, is passed over.
      if (connection === undefined || connection.usable) return connection;
    }
  }

  #dial(wait: Wait): void {
    this.#dialling.add(wait);
    wait.cancelDial = guardedDial(this.#target, {
      onSocket: (socket) => {
        this.#dialling.delete(wait);
        this.#give(wait, this.#add(socket));
      },
      onDialError: (error) => {
        this.#dialling.delete(wait);
        clearTimeout(wait.timer);
        this.#dialNext();
        wait.waiter.onNoConnection(dialFailure(error));
      },
    });
  }

  #add(socket: Socket): Connection {
    const connection = new Connection(this.#origin, socket, this.#options, (free) => this.#release(free));
    this.#connections.add(connection);
    socket.once('close', () => {
      this.#connections.delete(connection);
      const at = this.#idle.indexOf(connection);
      if (at !== -1) this.#idle.splice(at, 1);
      this.#dialNext();
    });
    return connection;
  }

  #release(connection: Connection): void {
    if (!connection.usable) return;
    const next = firstOf(this.#line);
    if (next !== undefined) {
      this.#line.delete(next);
      this.#give(next, connection);
    } else if (this.#retired) {
      void connection.close(); // Nobody waits for it: the pool's own close() awaits what it closes itself.
    } else {
      this.#idle.push(connection);
    }
  }

  #give(wait: Wait, connection: Connection): void {
    clearTimeout(wait.timer);
    wait.waiter.onConnection(connection);
  }

  #expire(wait: Wait): void {
    this.#cancel(wait);
    wait.waiter.onNoConnection({ kind: 'timeout', cause: new Error('no connection to the upstream in time') });
  }

  #cancel(wait: Wait): void {
    clearTimeout(wait.timer);
    this.#line.delete(wait);
    if (!this.#dialling.delete(wait)) return;
    wait.cancelDial?.();
    this.#dialNext();
  }

  /** Something closed or was not made: the first in line may dial now. */
  #dialNext(): void {
    if (!this.#closed && !this.#full) {
      const next = firstOf(this.#line);
      if (next !== undefined) {
        this.#line.delete(next);
        this.#dial(next);
      }
    }
    if (this.empty) this.#onEmpty(this);
  }
}

function firstOf<T>(set: ReadonlySet<T>): T | undefined {
  for (const value of set) return value;
  return undefined;
}
