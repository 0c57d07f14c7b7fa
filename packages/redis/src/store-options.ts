import { wholeNumber } from '@caracal/core';
import type { RedisClient } from './commands/client.js';
import { checkedPrefix } from './keyspace.js';

/** Options of every store here. */
export interface RedisStoreOptions {
  /** An ioredis `Redis` or `Cluster`, yours to configure and to close. See `RECOMMENDED_REDIS_OPTIONS`. */
  readonly client: RedisClient;
  /** Begins every key: 1 to 64 characters of `A-Z a-z 0-9 . _ : -`. Default `caracal`. */
  readonly prefix?: string;
  /** No call waits longer for Redis, ms. Default 1,000. */
  readonly timeoutMs?: number;
}

/** Default of `timeoutMs`. */
export const DEFAULT_TIMEOUT_MS = 1_000;

/** Told what an operator should know. `cause` is there where something failed. */
export type OnWarning = (message: string, cause?: unknown) => void;

/** One line on the console. */
export function tellConsole(message: string, cause?: unknown): void {
  const text = cause instanceof Error ? cause.message : undefined;
  console.warn(JSON.stringify({ level: 'warn', message, cause: text }));
}

/** The options that every store shares, checked. @throws TypeError naming the option */
export function storeSettings(factory: string, options: RedisStoreOptions) {
  const { client, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  if (typeof client?.call !== 'function' || typeof client.duplicate !== 'function') {
    throw new TypeError(`${factory}: client is an ioredis Redis or Cluster`);
  }
  return {
    client,
    prefix: checkedPrefix(factory, options.prefix),
    timeoutMs: wholeNumber(factory, 'timeoutMs', timeoutMs),
  };
}
