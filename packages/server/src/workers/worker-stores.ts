import type {
  AuditSink,
  CachedToken,
  ConnectionStore,
  ErrorCode,
  RateLimiter,
  ReplayStore,
  RevocationStore,
  TokenCache,
} from '@caracal/core';
import type { GatewayStores } from '../state/open-state.js';
import type { Channel } from './channel.js';

/** The primary's stores beside the journal, asked through the channel. Every question has a deadline. */
export function workerStores(
  channel: Channel,
  journal: AuditSink,
  revocations: RevocationStore,
  timeoutMs: number,
): GatewayStores {
  const asking =
    (code: ErrorCode) =>
    <T>(name: string, ...body: readonly unknown[]): Promise<T> =>
      channel.ask<T>({ code, timeoutMs }, name, ...body);
  const replay = asking('replay_unavailable');
  const rate = asking('rate_limit_unavailable');
  const credential = asking('credential_unavailable');
  const replays: ReplayStore = { use: (use) => replay('use', use) };
  const rateLimiter: RateLimiter = { consume: (key, limit) => rate('consume', key, limit) };
  const tokenCache: TokenCache = {
    // What is missing comes as null.
    get: async (key) => (await credential<CachedToken | null | undefined>('token.get', key)) ?? undefined,
    claimRefresh: (key, owner, leaseMs) => credential('token.claim', key, owner, leaseMs),
    finishRefresh: (key, owner, token) => credential('token.finish', key, owner, token),
    abandonRefresh: (key, owner) => credential('token.abandon', key, owner),
    forget: (key) => credential('token.forget', key),
  };
  const connections: ConnectionStore = {
    get: async (key) =>
      (await credential<Awaited<ReturnType<ConnectionStore['get']>> | null>('connection.get', key)) ?? undefined,
    put: (key, expected, content) => credential('connection.put', key, expected ?? null, content),
    remove: (key, expected) => credential('connection.remove', key, expected),
  };
  return { journal, revocations, replays, rateLimiter, tokenCache, connections, resourceFeed: undefined };
}
