import type {
  Anchor,
  CachedToken,
  ConnectionContent,
  ConnectionKey,
  MandateUse,
  RateLimit,
  RateLimitKey,
  TokenKey,
} from '@caracal/core';
import type { GatewayStores } from '../state/open-state.js';
import type { Answers } from './channel.js';

/** What the primary answers for its stores. */
export function storeAnswers({ revocations, replays, rateLimiter, tokenCache, connections }: GatewayStores): Answers {
  return {
    revoke: (anchor: Anchor) => revocations.revoke(anchor),
    lift: (anchor: Anchor) => revocations.lift(anchor),
    use: (use: MandateUse) => replays.use(use),
    consume: (key: RateLimitKey, limit: RateLimit) => rateLimiter.consume(key, limit),
    'token.get': (key: TokenKey) => tokenCache.get(key),
    'token.claim': (key: TokenKey, owner: string, leaseMs: number) => tokenCache.claimRefresh(key, owner, leaseMs),
    'token.finish': (key: TokenKey, owner: string, token: CachedToken) => tokenCache.finishRefresh(key, owner, token),
    'token.abandon': (key: TokenKey, owner: string) => tokenCache.abandonRefresh(key, owner),
    'token.forget': (key: TokenKey) => tokenCache.forget(key),
    'connection.get': (key: ConnectionKey) => connections.get(key),
    'connection.put': (key: ConnectionKey, expected: string | null, content: ConnectionContent) =>
      connections.put(key, expected ?? undefined, content),
    'connection.remove': (key: ConnectionKey, expected: string) => connections.remove(key, expected),
  };
}
