import { once } from 'node:events';
import { Secret } from '@caracal/core';
import { connectLinks, oauth2AuthorizationCode, oauth2ClientCredentials } from '@caracal/oauth';
import { RECOMMENDED_REDIS_OPTIONS, redisTokenCache } from '@caracal/redis';
import { guardedOutbound } from '@caracal/transport';
import { Redis } from 'ioredis';
import { credentialRequest, tokenOf } from './requests.js';
import type { StoreCall, Stores } from './served-stores.js';

/** What the parent says. */
interface Config {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly sealingKey: string;
  /** Where tokens are shared; else it is asked of the parent. */
  readonly redisUrl?: string;
  readonly timeoutMs?: number;
  /** Of a connection; else it is a machine's token. */
  readonly connection?: { readonly providerId: string; readonly publicUrl: string; readonly subjectIssuer: string };
}

const config = JSON.parse(process.argv[3] ?? '') as Config;
const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
let calls = 0;

function remote<Store extends keyof Stores>(
  store: Store,
  methods: readonly (keyof Stores[Store] & string)[],
): Stores[Store] {
  const call =
    (method: string) =>
    (...parameters: unknown[]) =>
      new Promise((resolve, reject) => {
        const id = ++calls;
        waiting.set(id, { resolve, reject });
        process.send?.({ id, store, method, parameters } satisfies StoreCall);
      });
  return Object.fromEntries(methods.map((method) => [method, call(method)])) as unknown as Stores[Store];
}

const redis = config.redisUrl === undefined ? undefined : new Redis(config.redisUrl, RECOMMENDED_REDIS_OPTIONS);
if (redis !== undefined) await once(redis, 'ready');
const tokenCache =
  redis === undefined
    ? remote('tokenCache', ['get', 'claimRefresh', 'finishRefresh', 'abandonRefresh', 'forget'])
    : redisTokenCache({ client: redis, timeoutMs: 20_000 });
const connections = remote('connections', ['get', 'put', 'remove']);
const sealing = [{ id: 'k1', key: new Secret(config.sealingKey) }];
const common = {
  issuer: config.issuer,
  clientId: config.clientId,
  clientSecret: new Secret(config.clientSecret),
  allowPrivateNetwork: true,
  ...(config.timeoutMs !== undefined && { timeoutMs: config.timeoutMs }),
  outbound: guardedOutbound(),
  tokenCache,
  sealing,
};
const provider =
  config.connection === undefined
    ? oauth2ClientCredentials({ id: 'provider://api', ...common })
    : oauth2AuthorizationCode({
        id: config.connection.providerId,
        ...common,
        connections,
        connect: connectLinks({ publicUrl: config.connection.publicUrl, sealing }),
      });

process.on(
  'message',
  (message: { ask: number; count: number; subject: string } | { id: number; value?: unknown; failed?: true }) => {
    if ('ask' in message) return void answer(message.ask, message.count, message.subject);
    const { resolve, reject } = waiting.get(message.id) ?? {};
    waiting.delete(message.id);
    if (message.failed) reject?.(new Error('the store failed'));
    else resolve?.(message.value ?? undefined);
  },
);

async function answer(id: number, count: number, subject: string): Promise<void> {
  const issuer = config.connection?.subjectIssuer;
  const request = () => credentialRequest(provider, { subject, ...(issuer !== undefined && { issuer }) });
  const tokens = await Promise.all(Array.from({ length: count }, () => tokenOf(provider.attach(request()))));
  process.send?.({ answer: id, tokens });
}

process.on('disconnect', () => process.exit());
process.send?.({ ready: true });
