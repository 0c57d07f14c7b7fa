import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigurationFile } from '@caracal/server';
import { createTestIssuer, type TestIssuer } from '@caracal/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuthorizationServer, CLIENT_SECRET, startAuthorizationServer } from '../oauth/authorization-server.js';
import { MiniBrowser } from '../oauth/mini-browser.js';
import { startVendor, type Vendor } from '../oauth/vendor.js';
import { caracal } from './caracal.js';
import { type CommandWorld, commandWorld, SECRETS } from './world.js';

const SIGN_IN_SECRET = 'sign-in-secret-canary-52ab90';
const KINDS = ['basic', 'post', 'signer', 'bearer', 'app', 'people'] as const;

let world: CommandWorld;
let idp: AuthorizationServer;
let upstream: AuthorizationServer;
let vendor: Vendor;
let issuer: TestIssuer;
let key: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
let sealedFor: Record<string, string>;

const pem = () => key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const resource = (kind: string) => `resource://${kind}`;

beforeAll(async () => {
  key = generateKeyPairSync('rsa', { modulusLength: 2048 });
  sealedFor = {};
  // As Google and GitHub answer; the others are of a real authorization server.
  vendor = await startVendor(({ path }) => {
    if (path === '/jwks') return { json: issuer.jwks() };
    if (path === '/token')
      return { json: { access_token: 'vendor-token-bearer-2b', token_type: 'Bearer', expires_in: 600 } };
    const expires_at = new Date(Date.now() + 3_600_000).toISOString();
    return { status: 201, json: { token: 'vendor-token-app-8e5d01', expires_at } };
  });
  world = await commandWorld({
    accepts: ({ headers }) => /^Bearer [\w-]{20,}$/.test(headers.authorization ?? ''),
    change: async (usual, url) => {
      const machine = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] };
      const jwk = { ...key.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'RS256' };
      upstream = await startAuthorizationServer({
        clients: () => [
          { ...machine, client_id: 'basic', client_secret: CLIENT_SECRET },
          {
            ...machine,
            client_id: 'post',
            client_secret: CLIENT_SECRET,
            token_endpoint_auth_method: 'client_secret_post',
          },
          { ...machine, client_id: 'signer', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } },
          {
            client_id: 'people',
            client_secret: CLIENT_SECRET,
            grant_types: ['authorization_code', 'refresh_token'],
            redirect_uris: [`${url.tokenService}/connect/callback/people`],
          },
        ],
      });
      const signedIn = `${url.tokenService}/connect/signed-in/idp`;
      idp = await startAuthorizationServer({
        clients: () => [{ client_id: 'caracal', client_secret: SIGN_IN_SECRET, redirect_uris: [signedIn] }],
      });
      issuer = await createTestIssuer({ issuer: idp.issuer });
      const places = {
        'provider://basic.clientSecret': CLIENT_SECRET,
        'provider://post.clientSecret': CLIENT_SECRET,
        'provider://signer.privateKey': pem(),
        'provider://bearer.privateKey': JSON.stringify(key.privateKey.export({ format: 'jwk' })),
        'provider://app.privateKey': pem(),
        'provider://people.clientSecret': CLIENT_SECRET,
        [`sign-in:${idp.issuer}.clientSecret`]: SIGN_IN_SECRET,
      };
      const make = (secret: (place: string) => object) => configurationOf(usual, signedIn, secret);
      const draft = await mkdtemp(join(tmpdir(), 'caracal-draft-'));
      const file = join(draft, 'caracal.config.json');
      await writeFile(file, JSON.stringify(make(() => ({ env: 'NOT_YET' }))));
      for (const [place, secret] of Object.entries(places)) {
        const options = { env: SECRETS, stdin: secret };
        const { code, out, err } = await caracal(['seal', '--for', place, '--config', file], options);
        expect({ code, err }).toEqual({ code: 0, err: '' });
        sealedFor[place] = JSON.parse(out).sealed;
      }
      await rm(draft, { recursive: true });
      return make((place) => ({ sealed: sealedFor[place] }));
    },
  });
});

afterAll(async () => {
  await world?.close();
  await Promise.all([idp?.close(), upstream?.close(), vendor?.close()]);
});

function configurationOf(
  usual: ConfigurationFile,
  redirectUri: string,
  secret: (place: string) => object,
): ConfigurationFile {
  const { upstreamUrl } = usual.resources![0]!;
  const origins = [upstreamUrl];
  const clientSecret = (id: string) => ({ clientSecret: secret(`provider://${id}.clientSecret`) });
  const privateKey = (id: string) => ({ privateKey: secret(`provider://${id}.privateKey`) });
  const machine = { kind: 'oauth2_client_credentials', allowPrivateNetwork: true, origins };
  const at = { issuer: upstream.issuer };
  const providers = [
    { ...machine, ...at, id: 'provider://basic', clientId: 'basic', ...clientSecret('basic') },
    {
      ...machine,
      ...at,
      id: 'provider://post',
      clientId: 'post',
      clientAuthentication: 'client_secret_post',
      ...clientSecret('post'),
    },
    { ...machine, ...at, id: 'provider://signer', clientId: 'signer', keyId: 'k1', ...privateKey('signer') },
    {
      ...machine,
      id: 'provider://bearer',
      grant: 'jwt_bearer',
      tokenEndpoint: `${vendor.origin}/token`,
      clientId: 'robot@example.com',
      ...privateKey('bearer'),
    },
    {
      ...machine,
      id: 'provider://app',
      grant: 'github_app',
      tokenEndpoint: vendor.origin,
      clientId: 'Iv1',
      installationId: '7',
      ...privateKey('app'),
    },
    {
      id: 'provider://people',
      kind: 'oauth2_authorization_code',
      ...at,
      clientId: 'people',
      scopes: ['openid', 'offline_access'],
      authorizationParameters: { prompt: 'consent' },
      allowPrivateNetwork: true,
      origins,
      ...clientSecret('people'),
    },
  ];
  const signIn = {
    issuer: idp.issuer,
    clientId: 'caracal',
    redirectUri,
    allowPrivateNetwork: true,
    clientSecret: secret(`sign-in:${idp.issuer}.clientSecret`),
  };
  const ours = { upstreamUrl, allowPrivateNetwork: true, scopes: ['read'] };
  return {
    ...usual,
    tokenService: {
      ...usual.tokenService!,
      applications: [
        {
          id: 'billing-agent',
          secret: { env: 'AGENT_SECRET' },
          grants: KINDS.map((kind) => ({ resource: resource(kind), scopes: ['read'] })),
        },
      ],
    },
    issuers: [{ issuer: idp.issuer, jwksUri: `${vendor.origin}/jwks` }],
    connect: { signIn: [signIn] },
    providers,
    resources: KINDS.map((kind) => ({ ...ours, identifier: resource(kind), provider: `provider://${kind}` })),
  } as ConfigurationFile;
}

async function call(kind: string, mandate: string) {
  const before = world.seen.length;
  const answer = await fetch(`${world.url.gateway}/v1/invoices/42`, {
    headers: { 'X-Caracal-Resource': resource(kind), Authorization: `Bearer ${mandate}` },
  });
  const body = (await answer.json()) as { error?: string; connect_uri: string };
  const tokens = world.seen.slice(before).map(({ headers }) => headers.authorization?.replace('Bearer ', '') ?? '');
  return { status: answer.status, body, tokens };
}

describe('a server that starts from a file with sealed secrets alone', () => {
  it.each(KINDS.filter((kind) => kind !== 'people'))('obtains a token: %s', async (kind) => {
    const args = ['mandate', '--application', 'billing-agent', '--resource', resource(kind)];
    const mandate = (await world.caracal(args)).out.trim();
    const { status, tokens } = await call(kind, mandate);
    expect([status, tokens]).toEqual([200, [expect.stringMatching(/^[\w-]{20,}$/)]]);
    expect(tokens).not.toContain(mandate);
  });

  it('lets a person sign in at the issuer of its mandate, connect, and then makes the call', async () => {
    const mandate = await issuer.mint({ sub: 'alice', target: [resource('people')], scope: 'read' });
    const refused = await call('people', mandate);
    expect(refused).toMatchObject({ status: 403, body: { error: 'connection_required' }, tokens: [] });
    // Somebody else who was handed the link gets nobody's account.
    const mallory = new MiniBrowser();
    const signedIn = await mallory.signIn(await mallory.open(refused.body.connect_uri), 'mallory');
    expect(signedIn.text).toContain('signed_in_as_another');
    expect((await call('people', mandate)).status).toBe(403);
    const browser = new MiniBrowser();
    const decision = await browser.signIn(await browser.open(refused.body.connect_uri), 'alice');
    const done = await browser.signIn(await browser.submit(decision, { do: 'connect' }), 'alice@upstream');
    expect(done.text).toContain('is connected');
    const { status, tokens } = await call('people', mandate);
    expect([status, tokens]).toEqual([200, [expect.stringMatching(/^[\w-]{20,}$/)]]);
    const bob = await issuer.mint({ sub: 'bob', target: [resource('people')], scope: 'read' });
    expect(await call('people', bob)).toMatchObject({ status: 403, tokens: [] });
    const listed = await world.caracal(['connect', 'list', '--json']);
    expect(listed.objects()).toMatchObject([{ issuer: idp.issuer, subject: 'alice', state: 'connected' }]);
  });

  it('is in order by caracal check, which notices an envelope that was moved', async () => {
    const ran = await world.caracal(['check', '--offline']);
    expect({ code: ran.code, err: ran.err }).toEqual({ code: 0, err: '' });
    const text = await readFile(join(world.directory, 'caracal.config.json'), 'utf8');
    const signIn = `sign-in:${idp.issuer}.clientSecret`;
    const swapped = text
      .replaceAll(sealedFor[signIn]!, 'HERE')
      .replaceAll(sealedFor['provider://people.clientSecret']!, sealedFor[signIn]!)
      .replaceAll('HERE', sealedFor['provider://people.clientSecret']!)
      // Where the secret would go: not what it was sealed for.
      .replace('"clientId": "basic",', '"clientId": "basic", "tokenEndpoint": "https://evil.example/token",')
      .replace('"clientId": "people",', '"clientId": "people", "revocationEndpoint": "https://evil.example/revoke",');
    await writeFile(join(world.directory, 'swapped.json'), swapped);
    const refused = await world.caracal(['check', '--offline', '--config', 'swapped.json']);
    expect(refused.code).toBe(2);
    const places = [...refused.err.matchAll(/: (\S+): is sealed and does not open/g)].map(([, place]) => place);
    expect(places.sort()).toEqual([
      'connect.signIn[0].clientSecret',
      'providers[0].clientSecret',
      'providers[5].clientSecret',
    ]);
  });

  it('shows no secret and no token in its log', () => {
    const { err } = world.serving;
    const tokens = world.seen.map(({ headers }) => headers.authorization?.replace('Bearer ', '') ?? '');
    expect(tokens).toHaveLength(KINDS.length);
    const ours = [CLIENT_SECRET, SIGN_IN_SECRET, pem().split('\n')[1]!];
    for (const secret of [...Object.values(SECRETS), ...ours, ...tokens]) expect(err).not.toContain(secret);
  });
});
