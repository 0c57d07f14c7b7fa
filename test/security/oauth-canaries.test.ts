import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import {
  type ConnectionKey,
  type Fault,
  generateSealingKey,
  memoryConnectionStore,
  memoryReplayStore,
  type Provider,
  Secret,
  type TransportHandler,
} from '@caracal/core';
import {
  connectLinks,
  createConnectService,
  type OAuthEvent,
  oauth2AuthorizationCode,
  oauth2ClientCredentials,
} from '@caracal/oauth';
import { guardedOutbound } from '@caracal/transport';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AuthorizationServer, CLIENT_SECRET, startAuthorizationServer } from '../oauth/authorization-server.js';
import { type Canaries, canariesIn, mandateCanaries } from './canary.js';
import { capturedConsole, observedWorld } from './observed-world.js';
import { reachableTexts } from './reachable.js';

const ORIGINS = ['https://billing.example'];
const INSPECTED = { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null, maxArrayLength: null };
const OWN: Canaries = {
  'client secret': CLIENT_SECRET,
  'wrong secret': 'wrong secret/canary+0f6b',
  'access token': 'connected-access-token-canary-a1',
  'refresh token': 'connected-refresh-token-canary-b2',
  'id token': 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.canary-c3',
  'token in an error': 'token-in-an-error-canary-d4',
};

let server: AuthorizationServer;
let captured: ReturnType<typeof capturedConsole>;
/** Answers what a careless vendor answers. */
let careless: ReturnType<typeof createServer>;
const outbound = guardedOutbound();

beforeAll(async () => {
  server = await startAuthorizationServer({
    clients: () => [
      {
        client_id: 'gateway',
        client_secret: CLIENT_SECRET,
        grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
        redirect_uris: ['https://tokens.example/connect/callback/files'],
      },
    ],
  });
  careless = createServer((req, res) => {
    const token = OWN['token in an error']!;
    res.setHeader('Content-Type', 'application/json');
    if (req.url === '/refuses') {
      res.statusCode = 400;
      res.end(JSON.stringify({ error: 'invalid_request', error_description: `bad: ${token}`, refresh_token: token }));
    } else {
      res.end(JSON.stringify({ access_token: `${token}\n`, id_token: OWN['id token'], token_type: 'Bearer' }));
    }
  });
  await new Promise<void>((resolve) => {
    careless.listen(0, '127.0.0.1', resolve);
  });
});

beforeEach(() => {
  captured = capturedConsole();
});
afterEach(() => captured.restore());

afterAll(async () => {
  await outbound.close();
  await server.close();
  await new Promise((resolve) => careless.close(resolve));
});

const sealing = [{ id: 'k1', key: generateSealingKey() }];
const events: OAuthEvent[] = [];
const common = {
  id: 'provider://files',
  origins: ORIGINS,
  clientId: 'gateway',
  clientSecret: new Secret(CLIENT_SECRET),
  allowPrivateNetwork: true,
  outbound,
  sealing,
  onEvent: (event: OAuthEvent) => void events.push(event),
};
const machine = (more: object = {}): Provider =>
  oauth2ClientCredentials({ ...common, issuer: server.issuer, ...more } as never);
const failingAt = (path: string) => {
  const { port } = careless.address() as AddressInfo;
  return machine({ issuer: undefined, tokenEndpoint: `http://127.0.0.1:${port}${path}` });
};

/** An account that was connected long ago: its token has ended, or the upstream says so. */
async function connected(issuer: string, ring = sealing, leftMs = 500_000) {
  const connect = connectLinks({ publicUrl: 'https://tokens.example', sealing });
  const connections = memoryConnectionStore();
  const of = (keys: typeof sealing) =>
    oauth2AuthorizationCode({ ...common, sealing: keys, issuer: server.issuer, connections, connect });
  const key: ConnectionKey = { zoneId: 'default', providerId: common.id, owner: { issuer, subject: 'alice' } };
  const tokens = {
    accessToken: OWN['access token']!,
    refreshToken: OWN['refresh token'],
    expiresAtMs: Date.now() + leftMs,
    obtainedAtMs: Date.now() - 60_000,
    scope: undefined,
  };
  await of(sealing).connectable.connections.connect(key, tokens);
  return { provider: of(ring), connect };
}

const answering =
  (...statuses: number[]) =>
  (handler: TransportHandler) => {
    handler.onStart(false);
    handler.onSent();
    handler.onHead(statuses.shift() ?? 200, []);
    handler.onEnd();
  };

interface Scene {
  readonly name: string;
  readonly status: number;
  readonly provider: (issuer: string) => Provider | Promise<Provider>;
  readonly upstream?: readonly number[];
  /** Events that tell that it was tried. */
  readonly told: readonly string[];
}

const other = () => [{ id: 'k2', key: generateSealingKey() }];
const SCENES: readonly Scene[] = [
  { name: 'a token that is obtained', status: 200, provider: () => machine(), told: ['token_obtained'] },
  {
    name: 'a token that is renewed after a 401',
    status: 200,
    upstream: [401, 200],
    provider: () => machine(),
    told: ['token_obtained', 'token_obtained'],
  },
  {
    name: 'a client that is refused',
    status: 503,
    provider: () => machine({ clientSecret: new Secret(OWN['wrong secret']!) }),
    told: ['token_failed'],
  },
  {
    name: 'a token endpoint that is not there',
    status: 503,
    provider: () => machine({ issuer: undefined, tokenEndpoint: 'http://127.0.0.1:9/token' }),
    told: ['token_failed'],
  },
  { name: 'an error that holds tokens', status: 503, provider: () => failingAt('/refuses'), told: ['token_failed'] },
  { name: 'a token no header can hold', status: 503, provider: () => failingAt('/breaks'), told: ['token_failed'] },
  { name: 'an account', status: 200, provider: async (issuer) => (await connected(issuer)).provider, told: [] },
  {
    name: 'an account whose refresh token is refused',
    status: 401,
    upstream: [401, 401],
    provider: async (issuer) => (await connected(issuer)).provider,
    told: ['connection_lost'],
  },
  {
    name: 'an account that has ended',
    status: 403,
    provider: async (issuer) => (await connected(issuer, sealing, -1)).provider,
    told: ['connection_lost'],
  },
  {
    name: 'an account that no key opens',
    status: 403,
    provider: async (issuer) => (await connected(issuer, other())).provider,
    told: ['connection_unreadable'],
  },
];

describe('canaries of OAuth', () => {
  it.each(SCENES)('$name: nothing is seen where it does not belong', async ({ status, provider, upstream, told }) => {
    const faults: Fault[] = [];
    const issuer = await observedWorld({}, {}).then(({ issuer: { issuer: name } }) => name);
    const attached = await provider(issuer);
    const world = await observedWorld({ provider: attached }, { onFault: (fault) => void faults.push(fault) });
    world.transport.upstream = answering(...(upstream ?? [200]));
    events.length = 0;
    server.tokenRequests.length = 0;
    const minted = await world.mint({ sub: 'alice' });
    const answer = await world.send(world.head(minted));
    const explanation = await world.gateway.explain(world.head(minted));
    const tokens = server.tokenRequests.map(({ answer: { access_token } }) => access_token).filter(Boolean) as string[];
    const secrets: Canaries = {
      ...OWN,
      ...mandateCanaries(minted),
      'sealing key': sealing[0]!.key.reveal(),
      ...Object.fromEntries(tokens.map((token, index) => [`token ${index}`, token])),
    };
    const probe =
      'probe' in attached ? await (attached.probe as (zone: string) => Promise<unknown>)('default') : undefined;
    const seen: Record<string, string> = {
      ...(await world.seen()),
      console: captured.lines.join('\n'),
      events: JSON.stringify(events),
      faults: inspect(faults, INSPECTED) + faults.map(({ cause }) => (cause as Error | undefined)?.stack).join('\n'),
      explanation: JSON.stringify(explanation),
      probe: inspect(probe, INSPECTED),
      answer: inspect(answer, INSPECTED),
      inspected: inspect([attached, world.gateway], INSPECTED),
      reachable: reachableTexts(attached, world.gateway, events, faults),
    };
    await world.gateway.close({ drainTimeoutMs: 1 });
    expect(answer.status).toBe(status);
    expect(events.map(({ type }) => type).slice(0, told.length)).toEqual(told);
    for (const [where, text] of Object.entries(seen)) {
      expect({ where, found: canariesIn(text, secrets) }).toEqual({ where, found: [] });
    }
    // There was something to look through, and what is searched for did go where it belongs.
    expect(seen.spans).toContain('http.response.status_code');
    expect(seen.reachable).toContain('provider://files');
    if (status === 200) expect(canariesIn(inspect(world.transport.plans, INSPECTED), secrets)).not.toEqual([]);
  });

  it('keeps tokens, keys and states out of the connect service and its links', async () => {
    const { provider, connect } = await connected('https://issuer.example');
    const service = createConnectService({
      links: connect,
      providers: [provider],
      replays: memoryReplayStore(),
      signIn: [],
      outbound,
      sealing,
    });
    const printed = [service, connect, provider, provider.connectable];
    const secrets = { ...OWN, 'sealing key': sealing[0]!.key.reveal() };
    expect(canariesIn(inspect(printed, INSPECTED) + reachableTexts(...printed), secrets)).toEqual([]);
  });

  it('finds what can be reached, however it is hidden', () => {
    class Holder {
      get shown(): unknown {
        return [new Map([[Symbol(OWN['id token']), new Set([Buffer.from(OWN['access token']!)])]])];
      }
    }
    const cause = Object.defineProperty(new Error('x'), 'hidden', { value: OWN['refresh token'], enumerable: false });
    const text = reachableTexts(new Holder(), { [Symbol('s')]: new Error('y', { cause }) });
    expect(canariesIn(text, OWN)).toEqual(['access token', 'refresh token', 'id token']);
  });
});
