import { CaracalError, type ErrorCode } from '@caracal/core';
import type { RedisClient } from './client.js';
import { redisFault } from './fault.js';
import { GatheredWrites } from './gathered-writes.js';
import { watchReceived } from './received.js';
import type { Script } from './script.js';

/** How commands are sent. */
export interface CommandOptions {
  readonly client: RedisClient;
  /** What a failure is called by. */
  readonly code: ErrorCode;
  /** Longest wait for an answer, ms. */
  readonly timeoutMs: number;
}

/** Unanswered commands of one store at once: what a server that has stopped answering can hold of this process's memory. */
const MAX_UNANSWERED = 10_000;

/**
 * Most that a connection may receive while one command waits, bytes; the largest answer that is in order has some 35 MB. Who
 * can write to Redis could otherwise end every process with one value, and no process would remember what is revoked.
 */
export const MAX_REPLY_BYTES = 64 * 1024 * 1024;

/** Statuses in which the driver would queue a command until there is a connection again. */
const DISCONNECTED: ReadonlySet<string> = new Set([
  'connecting',
  'connect',
  'reconnecting',
  'disconnecting',
  'close',
  'end',
]);

/**
 * Commands with a deadline. Each answers within `timeoutMs` or throws `CaracalError(code)` with reason `not_connected` (at once),
 * `timeout`, `failed`, or `too_many_pending` (at once). What was sent before a timeout may still be done by the server.
 */
export class RedisCommands {
  readonly #client: RedisClient;
  readonly #code: ErrorCode;
  readonly #timeoutMs: number;
  readonly #writes: GatheredWrites;
  #unanswered = 0;
  /** Bytes since a command was answered, or the only one that waits was sent. */
  #received = 0;

  constructor({ client, code, timeoutMs }: CommandOptions) {
    this.#client = client;
    this.#code = code;
    this.#timeoutMs = timeoutMs;
    this.#writes = new GatheredWrites(client);
    watchReceived(client, (bytes, connection) => {
      if (this.#unanswered === 0) return;
      this.#received += bytes;
      if (this.#received <= MAX_REPLY_BYTES) return;
      this.#received = 0;
      connection.disconnect(true);
    });
  }

  /** Sends one command. */
  call(command: string, ...args: (string | number)[]): Promise<unknown> {
    return this.#inTime(() => this.#client.call(command, ...args));
  }

  /** Runs a script: the deadline covers both ways of asking for it. */
  run({ text, sha }: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.#inTime(async () => {
      try {
        return await this.#client.call('EVALSHA', sha, keys.length, ...keys, ...args);
      } catch (cause) {
        if (!(cause instanceof Error && cause.message.startsWith('NOSCRIPT'))) throw cause;
        return await this.#client.call('EVAL', text, keys.length, ...keys, ...args);
      }
    });
  }

  #inTime(send: () => Promise<unknown>): Promise<unknown> {
    // Never left to the driver's queue: a request must not wait for a connection.
    if (DISCONNECTED.has(this.#client.status)) return Promise.reject(new CaracalError(this.#code, 'not_connected'));
    if (this.#unanswered >= MAX_UNANSWERED) return Promise.reject(new CaracalError(this.#code, 'too_many_pending'));
    if (this.#unanswered++ === 0) this.#received = 0;
    this.#writes.gather();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new CaracalError(this.#code, 'timeout')), this.#timeoutMs);
      const answered = (): void => {
        this.#unanswered--;
        this.#received = 0;
        clearTimeout(timer);
      };
      send().then(
        (answer) => {
          answered();
          resolve(answer);
        },
        (cause: unknown) => {
          answered();
          reject(new CaracalError(this.#code, 'failed', { cause: redisFault(cause) }));
        },
      );
    });
  }
}
