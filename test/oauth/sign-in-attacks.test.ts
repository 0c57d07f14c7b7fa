import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Denial,
  generateSealingKey,
  memoryConnectionStore,
  memoryReplayStore,
  memoryTokenCache,
  Secret,
} from '@caracal/core';
import {
  connectLinks,
  createConnectService,
  type OAuthEvent,
  oauth2AuthorizationCode,
  type SignInOptions,
} from '@caracal/oauth';
import { type GuardedOutbound, guardedOutbound } from '@caracal/transport';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { credentialRequest } from './requests.js';

const PUBLIC_URL = 'https://tokens.example/base';
const SECRET = 'client-secret-canary-91aa';

type Claims = Record<string, unknown>;

/** An OpenID provider that answers what a test wants: the ID token, its header, whole members. */
let issuer: string;
let answer: (claims: Claims) => unknown;
let tokenRequests: URLSearchParams[];
let close: () => Promise<void>;
let outbound: GuardedOutbound;
let events: OAuthEvent[];

beforeAll(async () => {
  outbound = guardedOutbound();
  const server = createServer((request, response) => {
    const json = (value: unknown): ServerResponse =>
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
    if (request.url?.startsWith('/.well-known/')) {
      json({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        authorization_response_iss_parameter_supported: true,
        id_token_signing_alg_values_supported: ['ES256'],
      });
      return;
    }
    let form = '';
    request.on('data', (chunk) => {
      form += chunk;
    });
    request.on('end', () => {
      tokenRequests.push(new URLSearchParams(form));
      const now = Math.floor(Date.now() / 1_000);
      json(answer({ iss: issuer, sub: 'alice', aud: 'caracal', iat: now, exp: now + 300 }));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  close = () => new Promise((resolve) => void server.close(() => resolve()));
});

afterAll(async () => {
  await outbound.close();
  await close();
});

beforeEach(() => {
  tokenRequests = [];
  events = [];
});

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const idToken = (claims: Claims, header: Claims = { alg: 'ES256', kid: 'k' }): string =>
  `${encoded(header)}.${encoded(claims)}.${Buffer.alloc(64).toString('base64url')}`;
const tokens = (id_token?: string): object => ({
  access_token: 'a',
  token_type: 'bearer',
  ...(id_token && { id_token }),
});

/** A person's way to the end of signing in, and the page that comes of it. */
async function signsIn(
  changes: Partial<SignInOptions> = {},
  change: (parameters: URLSearchParams) => void = () => undefined,
): Promise<{ readonly response: Response; readonly nonce: string }> {
  const sealing = [{ id: 'k1', key: generateSealingKey() }];
  const links = connectLinks({ publicUrl: PUBLIC_URL, sealing });
  const common = { outbound, sealing, onEvent: (event: OAuthEvent) => void events.push(event) };
  const provider = oauth2AuthorizationCode({
    id: 'provider://files',
    authorizationEndpoint: `${issuer}/authorize`,
    tokenEndpoint: `${issuer}/token`,
    origins: ['https://files.example'],
    clientId: 'gateway',
    clientSecret: new Secret(SECRET),
    allowPrivateNetwork: true,
    connections: memoryConnectionStore(),
    tokenCache: memoryTokenCache(),
    connect: links,
    ...common,
  });
  const service = createConnectService({
    links,
    providers: [provider],
    replays: memoryReplayStore(),
    signIn: [{ issuer, clientId: 'caracal', clientSecret: new Secret(SECRET), allowPrivateNetwork: true, ...changes }],
    ...common,
  });
  const denial = (await provider.attach(credentialRequest(provider, { issuer }))) as Denial;
  const begun = await service.handler(new Request(denial.members?.connectUri ?? ''));
  const request = new URL(begun?.headers.get('location') ?? '');
  const cookie = begun?.headers.getSetCookie()[0] ?? '';
  expect(cookie).toMatch(
    /^__Host-caracal-connect-[\w-]{16}=[\w.-]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/,
  );
  nonce = request.searchParams.get('nonce') ?? '';
  const parameters = new URLSearchParams({ code: 'c', state: request.searchParams.get('state') ?? '', iss: issuer });
  change(parameters);
  const target = `${request.searchParams.get('redirect_uri')}?${parameters}`;
  const response = await service.handler(new Request(target, { headers: { cookie: cookie.split(';')[0] ?? '' } }));
  return { response: response as Response, nonce };
}

let nonce: string;
const rightly =
  (more: Claims = {}) =>
  (claims: Claims) =>
    tokens(idToken({ ...claims, nonce, ...more }));

describe('signing in', () => {
  it('goes on with the ID token of the subject', async () => {
    answer = rightly();
    const { response } = await signsIn();
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toMatch(/^https:\/\/tokens\.example\/base\/connect\/decide\?s=[\w-]{16}$/);
  });

  it.each<[string, (claims: Claims) => unknown]>([
    ['no ID token', () => tokens()],
    ['one without a nonce', (claims) => tokens(idToken(claims))],
    ['one with the nonce of another request', rightly({ nonce: 'other' })],
    ['one for another client', rightly({ aud: 'other' })],
    ['one for several, with no authorized party', rightly({ aud: ['caracal', 'other'] })],
    ['one for several, authorized for another', rightly({ aud: ['caracal', 'other'], azp: 'other' })],
    ['one that is over', rightly({ exp: 1 })],
    ['one without an end', rightly({ exp: undefined })],
    ['one of another issuer', rightly({ iss: 'https://evil.example' })],
    ['one whose subject is no text', rightly({ sub: ['alice'] })],
    ['one without signature', (claims) => tokens(idToken({ ...claims, nonce }, { alg: 'none' }))],
    ['one under a shared secret', (claims) => tokens(idToken({ ...claims, nonce }, { alg: 'HS256' }))],
    ['one that is none', () => tokens('e30.e30')],
    ['one of somebody else', rightly({ sub: 'mallory' })],
  ])('ends with %s', async (_, answers) => {
    answer = answers;
    const { response } = await signsIn();
    expect(response.status).toBe(403);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(events).toMatchObject([{ type: 'connect_refused', owner: { subject: 'alice' } }]);
    expect(await response.text()).not.toMatch(/mallory|evil|e30|canary/);
  });

  it('believes no address of a person that nobody has verified', async () => {
    for (const [verified, status] of [
      [true, 303],
      [false, 403],
      ['true', 403],
      [undefined, 403],
    ] as const) {
      answer = rightly({ sub: 'somebody else', email: 'alice', email_verified: verified });
      expect((await signsIn({ subjectClaim: 'email' })).response.status, String(verified)).toBe(status);
    }
  });

  it.each<[string, (parameters: URLSearchParams) => void]>([
    ['no issuer', (p) => p.delete('iss')],
    ['another issuer', (p) => p.set('iss', 'https://evil.example')],
    ['two issuers', (p) => p.append('iss', 'https://evil.example')],
    ['two codes', (p) => p.append('code', 'd')],
    ['two states', (p) => p.append('state', 'd')],
    ['an implicit answer', (p) => p.append('id_token', 'e30.e30.')],
    ['markup for an error', (p) => p.append('error', '<script>alert(1)</script>')],
  ])('asks nothing of anybody over an answer with %s', async (_, change) => {
    answer = rightly();
    const { response } = await signsIn({}, change);
    expect([400, 403]).toContain(response.status);
    expect(tokenRequests).toEqual([]);
    const text = await response.text();
    expect(text).not.toMatch(/<script|evil\.example/);
    expect(response.headers.get('content-security-policy')).toMatch(/default-src 'none';.*frame-ancestors 'none'/);
    expect(response.headers.get('x-frame-options')).toBe('DENY');
  });
});
