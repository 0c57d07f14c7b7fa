/**
 * What this package uses of an ioredis `Redis` (standalone or through Sentinel) or `Cluster`. Structural, so that no driver is
 * imported here and both versions fit.
 */
export interface RedisClient {
  /** `ready` where commands reach the server. */
  readonly status: string;
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
  /** A second connection with the same options: blocking reads need one of their own. */
  duplicate(): RedisClient;
  disconnect(reconnect?: boolean): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'connect' | 'ready', listener: () => void): unknown;
  on(event: '+node', listener: (node: RedisClient) => void): unknown;
  /** What its connection receives: of a `Redis`, while there is one. */
  readonly stream?: unknown;
  /** The connections of a `Cluster`. */
  nodes?(role?: 'all'): RedisClient[];
}

/**
 * Options of ioredis that suit a gateway: nothing is queued while there is no connection, nothing is sent twice, a connection
 * that has fallen silent is given up, and a server that returns is found within a second. For `Cluster` they are `redisOptions`.
 */
export const RECOMMENDED_REDIS_OPTIONS = Object.freeze({
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  connectTimeout: 2_000,
  commandTimeout: 2_000,
  socketTimeout: 5_000,
  retryStrategy: (times: number): number => Math.min(50 * times, 1_000),
});
