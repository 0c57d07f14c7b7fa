import { inspect } from 'node:util';
import {
  apiKey,
  bearerToken,
  createGateway,
  csvRow,
  defineResource,
  type GatewayOptions,
  httpBasic,
  memoryRevocationStore,
  noCredential,
  ocsfActivity,
  type Provider,
  presentedMandate,
  type RequestHead,
  type ResourceDefinition,
  Secret,
  sealSecret,
  type TransportHandler,
} from '@caracal/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeAnswer, RESOURCE } from '../gateway/fake-world.js';
import { type Canaries, canariesIn, mandateCanaries } from './canary.js';
import { capturedConsole, observedWorld } from './observed-world.js';

/** Secrets of ours: no answer, record, log, metric or span may hold them, whoever is asking. */
const CREDENTIALS: Canaries = {
  key: 'canary-key-5f3e1a9b7c',
  'renewed token': 'canary-renewed-token-84d1',
};
/** What the caller sends, besides the path: for the upstream alone. */
const SENT: Canaries = {
  query: 'canary-query-a81b2c',
  'header value': 'canary-header-93ffe0',
  cookie: 'canary-cookie-77aa12',
  body: 'canary-body-55cd90',
};
/** What the upstream or a library says: for the caller or for nobody, never to be kept. */
const HEARD: Canaries = {
  'upstream header': 'canary-upstream-header-0b1d',
  'upstream body': 'canary-upstream-body-6e2f',
  cause: 'canary-cause-10.9.8.7-4c4c',
};

const ORIGINS = ['https://billing.example'];
const KEY = CREDENTIALS.key!;
const secret = new Secret(KEY);

const answering = (status: number, headers: string[] = []) => ({
  upstream: (handler: TransportHandler) => {
    handler.onStart(false);
    handler.onSent();
    handler.onInterim(103, ['Link', `<${HEARD['upstream header']}>; rel=preload`]);
    handler.onHead(status, ['X-Said', HEARD['upstream header']!, ...headers]);
    handler.onChunk(new TextEncoder().encode(HEARD['upstream body']));
    handler.onEnd();
  },
});
const failing = (kind: Parameters<TransportHandler['onFailure']>[0]['kind'], afterHead = false) => ({
  upstream: (handler: TransportHandler) => {
    handler.onStart(true);
    if (afterHead) handler.onHead(200, ['X-Said', HEARD['upstream header']!]);
    handler.onFailure({ kind, cause: new Error(`${HEARD.cause} said ${KEY}`, { cause: { headers: [KEY] } }) });
  },
});
const throwing = () => {
  throw new Error(`${HEARD.cause}: rejected ${KEY}`, { cause: { token: KEY, query: SENT.query } });
};

function tokenProvider(): Provider {
  const credential = (token: string) => ({
    headers: ['Authorization', `Bearer ${token}`],
    query: undefined,
    secrets: [token],
    connection: undefined,
  });
  return {
    id: 'provider://token',
    kind: 'oauth2_client_credentials',
    origins: ORIGINS,
    headerNames: ['authorization'],
    renewable: true,
    attach: async () => credential(KEY),
    renew: async () => credential(CREDENTIALS['renewed token']!),
  };
}

interface Scene {
  readonly name: string;
  readonly status: number;
  readonly resource?: Partial<ResourceDefinition>;
  readonly options?: Partial<GatewayOptions>;
  readonly claims?: Record<string, unknown>;
  readonly mandate?: (mandate: string) => string | undefined;
  readonly head?: Partial<RequestHead> & { extra?: string[] };
  readonly upstream?: (handler: TransportHandler) => void;
  /** Requests before the one that counts. */
  readonly before?: number;
  readonly cut?: boolean;
}

const PROVIDERS: readonly (readonly [name: string, provider: Provider])[] = [
  ['no credential', noCredential()],
  ['a key in a header', apiKey({ id: 'p', headerName: 'X-Api-Key', secret, origins: ORIGINS })],
  ['a key with a scheme', apiKey({ id: 'p', headerName: 'X-Api-Key', scheme: 'Token', secret, origins: ORIGINS })],
  ['a key in the query', apiKey({ id: 'p', queryParam: 'api_key', secret, origins: ORIGINS })],
  ['a bearer token', bearerToken({ id: 'p', secret, origins: ORIGINS })],
  ['a username and password', httpBasic({ id: 'p', username: 'user', secret, origins: ORIGINS })],
  ['a token that is renewed', tokenProvider()],
];

const forwarded: readonly Scene[] = PROVIDERS.flatMap(([name, provider]): Scene[] => [
  { name: `allowed with ${name}`, status: 200, resource: { provider }, ...answering(200) },
  { name: `answered 500 with ${name}`, status: 500, resource: { provider }, ...answering(500) },
  { name: `unreachable with ${name}`, status: 502, resource: { provider }, ...failing('unreachable') },
  { name: `answered 401 with ${name}`, status: 401, resource: { provider }, ...answering(401) },
]);

/** Upstreams that give away what was attached. */
const echoing: readonly Scene[] = PROVIDERS.slice(1).flatMap(([name, provider]): Scene[] => [
  {
    name: `redirected with the credential of ${name} in the address`,
    status: 302,
    resource: { provider },
    ...answering(302, ['Location', `https://billing.example/base/v1?api_key=${KEY}&q=1`]),
  },
  {
    name: `answered with the credential of ${name} in headers`,
    status: 200,
    resource: { provider },
    ...answering(200, ['X-Echo', `key=${KEY}`, 'X-Echo-64', btoa(`user:${KEY}`), 'X-Echo-Plain-64', btoa(KEY)]),
  },
]);

const refused: readonly Scene[] = [
  { name: 'a bad target', status: 400, head: { target: `/v1/../x?${SENT.query}` } },
  { name: 'a target in absolute form', status: 400, head: { target: `http://a.example/v1?${SENT.query}` } },
  { name: 'a fragment', status: 400, head: { target: `/v1#${SENT.query}` } },
  { name: 'a long target', status: 414, head: { target: `/${'a'.repeat(9000)}?${SENT.query}` } },
  { name: 'an expectation', status: 417, head: { extra: ['Expect', SENT['header value']!] } },
  { name: 'two lengths', status: 400, head: { extra: ['Content-Length', '1', 'Content-Length', '2'] } },
  { name: 'a strange host', status: 400, head: { extra: ['Host', SENT['header value']!] } },
  { name: 'a client id', status: 400, head: { extra: ['X-Caracal-Client-Id', SENT['header value']!] } },
  { name: 'a second resource', status: 400, head: { extra: ['X-Caracal-Resource', SENT['header value']!] } },
  { name: 'no mandate', status: 401, mandate: () => undefined },
  { name: 'a mandate cut short', status: 401, mandate: (mandate) => mandate.slice(0, -9) },
  { name: 'a mandate with more', status: 401, mandate: (mandate) => `${mandate}AAAA` },
  { name: 'a mandate of four parts', status: 401, mandate: (mandate) => `${mandate}.${btoa(KEY)}` },
  { name: 'a mandate that was changed', status: 401, mandate: (mandate) => mandate.replace(/\.(.)/, '.f') },
  { name: 'an expired mandate', status: 401, claims: { iat: 1_000_000, exp: 1_000_900 } },
  { name: 'an unknown issuer', status: 401, claims: { iss: 'https://other.example' } },
  { name: 'a resource nobody knows', status: 403, resource: { identifier: 'resource://other' } },
  { name: 'a resource it does not target', status: 403, claims: { target: ['resource://other'] } },
  {
    name: 'a body over the limit',
    status: 413,
    resource: { maxBodyBytes: 1 },
    head: { extra: ['Content-Length', '2'] },
  },
  {
    name: 'an upgrade',
    status: 403,
    head: { upgrade: true, extra: ['Connection', 'Upgrade', 'Upgrade', 'websocket'] },
  },
  { name: 'an operation nobody declared', status: 403, head: { method: 'DELETE' } },
  { name: 'a missing scope', status: 403, claims: { scope: 'other' } },
  { name: 'a missing session', status: 403, resource: { require: { session: true } } },
  { name: 'a rate', status: 429, resource: { rateLimit: { requests: 1, windowSeconds: 60 } }, before: 1 },
  { name: 'a second use', status: 401, resource: { mandateReuse: 'single_use' }, before: 1 },
  { name: 'an authorizer that throws', status: 503, options: { authorizers: [{ authorize: throwing }] } },
  {
    name: 'an authorizer that says no',
    status: 403,
    options: { authorizers: [{ authorize: () => ({ allowed: false }) }] },
  },
  {
    name: 'a replay store that throws',
    status: 503,
    resource: { mandateReuse: 'single_use' },
    options: { replays: { use: throwing } },
  },
  { name: 'a sink that throws', status: 503, options: { audit: { sink: { append: throwing } } } },
  {
    name: 'revocations that throw',
    status: 500,
    options: { revocations: Object.assign(memoryRevocationStore(), { isRevoked: throwing }) },
  },
  {
    name: 'a directory that throws',
    status: 503,
    options: {
      resources: undefined as never,
      directory: {
        byIdentifier: throwing,
        byMount: throwing,
        namesMethod: throwing,
        extraMethods: () => new Set<string>(),
      },
    },
  },
  { name: 'a provider that throws', status: 503, resource: { provider: { ...tokenProvider(), attach: throwing } } },
  {
    name: 'a provider that cannot renew',
    status: 401,
    resource: { provider: { ...tokenProvider(), renew: throwing } },
    ...answering(401),
  },
  {
    name: 'a secret that cannot be sent',
    status: 503,
    resource: {
      provider: apiKey({ id: 'p', headerName: 'X-Api-Key', secret: new Secret(`${KEY}\n`), origins: ORIGINS }),
    },
  },
  { name: 'a mandate that is for no upstream', status: 503, resource: { provider: presentedMandate({ id: 'p' }) } },
  { name: 'an address', status: 502, ...failing('address') },
  { name: 'a timeout', status: 504, ...failing('timeout') },
  { name: 'nonsense', status: 502, ...failing('invalid') },
  { name: 'a lost connection', status: 200, ...failing('closed', true), cut: true },
  {
    name: 'a redirect elsewhere',
    status: 502,
    resource: { redirects: 'block' },
    ...answering(302, ['Location', `https://elsewhere.example/?${HEARD['upstream header']}`]),
  },
];

describe('canaries', () => {
  let captured: ReturnType<typeof capturedConsole>;
  beforeEach(() => {
    captured = capturedConsole();
  });
  afterEach(() => captured.restore());

  it.each([...forwarded, ...echoing, ...refused])('$name: nothing is seen where it does not belong', async (scene) => {
    const keyed = apiKey({ id: 'p', headerName: 'X-Api-Key', secret, origins: ORIGINS });
    const world = await observedWorld({ provider: keyed, ...scene.resource }, scene.options ?? {});
    if (scene.upstream !== undefined) world.transport.upstream = scene.upstream;
    const minted = await world.mint(scene.claims);
    const presented = scene.mandate === undefined ? minted : scene.mandate(minted);
    const { extra = [], ...changes } = scene.head ?? {};
    const head = world.head(presented, {
      target: `/v1/invoices/42?q=${SENT.query}&api_key=mine`,
      ...changes,
      extra: [
        ...['X-Custom', SENT['header value']!, 'Cookie', `id=${SENT.cookie}`, 'User-Agent', SENT['header value']!],
        ...[
          'Referer',
          `https://a.example/?${SENT.query}`,
          'Baggage',
          `k=${SENT['header value']}`,
          'X-Api-Key',
          SENT.cookie!,
        ],
        ...extra,
      ],
    });
    for (let index = 0; index < (scene.before ?? 0); index++) await world.send(head, SENT.body);

    const answer = await world.send(head, SENT.body);
    const explanation = await world.gateway.explain(head);
    const seen: Record<string, string> = {
      ...(await world.seen()),
      console: captured.lines.join('\n'),
      explanation: JSON.stringify(explanation),
      exports: world.audit
        .records()
        .map((record) => csvRow(record) + JSON.stringify(ocsfActivity(record) ?? null))
        .join(''),
    };
    await world.gateway.close({ drainTimeoutMs: 1 });

    expect({ status: answer.status, cut: answer.cut }).toEqual({ status: scene.status, cut: scene.cut ?? false });
    const secrets = { ...CREDENTIALS, ...SENT, ...HEARD, ...mandateCanaries(minted) };
    for (const [where, text] of Object.entries(seen))
      expect({ where, found: canariesIn(text, secrets) }).toEqual({ where, found: [] });
    expect(canariesIn(inspect(answer), answerSecrets(answer, secrets))).toEqual([]);
    if (scene.name.startsWith('allowed')) expect(seen.records).toContain('"executed"'); // there was something to look through
  });

  // An upstream's own headers pass to the caller; a refusal of ours says nothing of what came or went.
  function answerSecrets(answer: FakeAnswer, secrets: Canaries): Canaries {
    if (answer.error !== undefined) return secrets;
    return Object.fromEntries(Object.entries(secrets).filter(([name]) => name !== 'upstream header'));
  }

  it('finds a canary in every shape it searches for', () => {
    const texts = [KEY, encodeURIComponent(KEY), btoa(KEY), btoa(`user:${KEY}`), Buffer.from(KEY).toString('hex')];
    for (const text of texts) expect(canariesIn(`x${text}y`, CREDENTIALS), text).toEqual(['key']);
    expect(canariesIn('nothing', CREDENTIALS)).toEqual([]);
  });

  it('lets the upstream have what is the upstream’s: what is searched for did go there', async () => {
    for (const [name, provider] of PROVIDERS.slice(1)) {
      const world = await observedWorld({ provider }, {});
      await world.send(world.head(await world.mint(), { target: `/v1/invoices/42?q=${SENT.query}` }));
      expect(
        canariesIn(inspect(world.transport.plans, { depth: 9 }), { ...CREDENTIALS, query: SENT.query! }),
        name,
      ).toEqual([...['key', 'query']]);
    }
  });

  it('shows no secret of a provider, a secret or a sealed one to whoever prints it', async () => {
    const binding = { zoneId: 'default', providerId: 'p', field: 'secret', origins: ORIGINS };
    const failure = await sealSecret(KEY, { id: 'k1', key: secret }, binding).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TypeError);
    const printed = [...PROVIDERS.map(([, provider]) => provider).slice(0, -1), secret, failure].flatMap((value) => [
      inspect(value, { depth: 9, showHidden: true }),
      JSON.stringify(value),
      String(value),
    ]);
    expect(canariesIn(printed.join('\n'), CREDENTIALS)).toEqual([]);
  });

  it('says nothing of what was wrong in a configuration but its name', () => {
    const jwk = { kty: 'EC', crv: 'P-256', x: KEY, y: KEY, d: KEY, kid: 'k', alg: 'ES256' };
    const definition = { identifier: RESOURCE, scopes: [], provider: noCredential() };
    const mistakes: (() => unknown)[] = [
      () => apiKey({ id: 'p', headerName: 'X-Api-Key', secret: KEY as never, origins: ORIGINS }),
      () => apiKey({ id: 'p', headerName: 'Connection', secret, origins: ORIGINS }),
      () => bearerToken({ id: 'p', secret: { sealed: KEY }, origins: ORIGINS }),
      () => httpBasic({ id: 'p', username: `a:${KEY}`, secret, origins: ORIGINS }),
      () => apiKey({ id: 'p', headerName: 'X-Api-Key', secret, origins: [`https://user:${KEY}@a.example`] }),
      () => defineResource({ ...definition, upstreamUrl: `https://user:${KEY}@a.example/` } as ResourceDefinition),
      () => defineResource({ ...definition, upstreamUrl: `https://a.example/#${KEY}` } as ResourceDefinition),
      () =>
        createGateway({
          issuers: [{ issuer: 'https://i.example', keys: [jwk] }],
          resources: [],
          publicUrl: `https://x:${KEY}@a.example`,
        }),
      () =>
        createGateway({
          issuers: [{ issuer: 'https://i.example', jwksUri: `https://x:${KEY}@a.example` }],
          resources: [],
        }),
    ];
    for (const mistake of mistakes) {
      let told = '';
      try {
        mistake();
      } catch (error) {
        told = inspect(error, { depth: 9, showHidden: true });
      }
      expect(told).not.toBe('');
      expect({ mistake: String(mistake), found: canariesIn(told, CREDENTIALS) }).toMatchObject({ found: [] });
    }
    expect(canariesIn(captured.lines.join('\n'), CREDENTIALS)).toEqual([]);
  });
});
