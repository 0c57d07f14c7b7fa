import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loopbackCertificate } from '../e2e/certificate.js';
import { type AuthorizationServer, CLIENT_SECRET, startAuthorizationServer } from '../oauth/authorization-server.js';
import { startVendor, type Vendor } from '../oauth/vendor.js';
import { caracal, type Ran } from './caracal.js';
import { BILLING, freePorts, SECRETS } from './world.js';

const ENV = { ...SECRETS, CLIENT_SECRET, WRONG_SECRET: 'wrong-secret-canary-7d', PRIVATE_KEY: 'private-key-canary-1c' };
const PAGES = 'http://127.0.0.1:9';

let server: AuthorizationServer;
let vendor: Vendor;
let silent: Server;
let tls: ReturnType<typeof createTlsServer>;
let directory: string;
let providers: readonly { readonly id: string; readonly [member: string]: unknown }[];
/** What each provider has to come to: the reason, and what is said of it. */
let expected: Readonly<Record<string, readonly [reason: string | undefined, said: RegExp]>>;

beforeAll(async () => {
  const machine = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] };
  server = await startAuthorizationServer({
    clients: () => [
      { ...machine, client_id: 'machine', client_secret: CLIENT_SECRET, scope: 'openid' },
      {
        client_id: 'people',
        client_secret: CLIENT_SECRET,
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: [`${PAGES}/connect/callback/people`, `${PAGES}/connect/signed-in/host`],
      },
    ],
  });
  vendor = await startVendor(({ path, form, headers }) => {
    if (path === '/html') return { text: '<html>Sign in</html>', headers: { 'Content-Type': 'text/html' } };
    if (path === '/echo')
      return { status: 401, json: { error: 'invalid_client', error_description: `${form} ${headers.authorization}` } };
    if (path === '/moved') return { status: 302, headers: { Location: 'https://elsewhere.example/' } };
    return { status: 404, json: {} };
  });
  silent = createServer(() => {});
  tls = createTlsServer(loopbackCertificate(), (_, response) => void response.end('{}'));
  await Promise.all([silent, tls].map((each) => new Promise<void>((done) => each.listen(0, '127.0.0.1', done))));
  const portOf = (each: Server | typeof tls) => (each.address() as AddressInfo).port;
  const [tokenService = 0, closed = 0, gateway = 0] = await freePorts(3);
  const secret = { clientSecret: { env: 'CLIENT_SECRET' }, allowPrivateNetwork: true };
  const wrong = { clientSecret: { env: 'WRONG_SECRET' }, allowPrivateNetwork: true };
  const machineAt = (name: string, changes: object) => ({
    id: `provider://${name}`,
    kind: 'oauth2_client_credentials',
    clientId: 'machine',
    ...secret,
    ...changes,
  });
  const peopleAt = (name: string, changes: object) => ({
    id: `provider://${name}`,
    kind: 'oauth2_authorization_code',
    clientId: 'people',
    scopes: ['openid'],
    ...secret,
    ...changes,
  });
  const { issuer } = server;
  const [authorizationEndpoint, tokenEndpoint] = [`${issuer}/auth`, `${issuer}/token`];
  providers = [
    machineAt('fine', { issuer }),
    machineAt('wrong-secret', { issuer, ...wrong }),
    machineAt('wrong-scope', { issuer, scopes: ['offline_access'] }),
    machineAt('no-such-host', { tokenEndpoint: 'https://token.caracal.invalid/token' }),
    machineAt('closed-port', { tokenEndpoint: `http://127.0.0.1:${closed}/token` }),
    machineAt('unknown-authority', { tokenEndpoint: `https://127.0.0.1:${portOf(tls)}/token` }),
    machineAt('no-tls', { tokenEndpoint: `${vendor.origin.replace('http:', 'https:')}/token` }),
    machineAt('private', { tokenEndpoint, allowPrivateNetwork: ['10.0.0.0/8'] }),
    machineAt('slip', { tokenEndpoint: `${issuer}/tokens` }),
    machineAt('moved', { tokenEndpoint: `${vendor.origin}/moved` }),
    machineAt('html', { tokenEndpoint: `${vendor.origin}/html` }),
    machineAt('echo', { tokenEndpoint: `${vendor.origin}/echo`, clientAuthentication: 'client_secret_post' }),
    machineAt('echo-header', { tokenEndpoint: `${vendor.origin}/echo` }),
    machineAt('hangs', { tokenEndpoint: `http://127.0.0.1:${portOf(silent)}/token`, timeoutMs: 500 }),
    machineAt('other-issuer', { issuer: `${issuer}/` }),
    machineAt('no-metadata', { issuer: vendor.origin }),
    machineAt('no-key', { issuer, clientSecret: undefined, privateKey: { env: 'PRIVATE_KEY' } }),
    peopleAt('people', { issuer }),
    peopleAt('people-secret', { issuer, ...wrong, redirectUri: `${PAGES}/connect/callback/a` }),
    peopleAt('people-redirect', { issuer, redirectUri: `${PAGES}/connect/callback/not-registered` }),
    peopleAt('people-endpoint', {
      tokenEndpoint,
      authorizationEndpoint: `${issuer}/authorise`,
    }),
    peopleAt('people-closed', {
      tokenEndpoint,
      authorizationEndpoint: authorizationEndpoint.replace(/:\d+/, `:${closed}`),
    }),
  ];
  expected = {
    'provider://fine': [undefined, /^$/],
    'provider://wrong-secret': ['token_endpoint_invalid_client', /\/token: status 401: invalid_client.*; clientId, /],
    'provider://wrong-scope': ['token_endpoint_invalid_scope', /invalid_scope.*; scopes have to be those/],
    'provider://no-such-host': ['token_endpoint_unreachable', /^https:\/\/token\.caracal\.invalid has a name that /],
    'provider://closed-port': ['token_endpoint_unreachable', /refuses connections: nothing listens on that port/],
    'provider://unknown-authority': ['token_endpoint_unreachable', /of an authority that is not trusted here/],
    'provider://no-tls': ['token_endpoint_unreachable', /does not speak TLS as it should/],
    'provider://private': ['token_endpoint_address', /not allowed.*; set allowPrivateNetwork/],
    'provider://slip': ['token_endpoint_not_found', /\/tokens: status 404.*; look for a slip/],
    'provider://moved': ['token_endpoint_redirects', /\/moved: status 302; redirects are not followed/],
    'provider://html': ['token_answer_not_json', /\/html: status 200, and no JSON object; that is no token endpoint/],
    'provider://echo': ['token_endpoint_invalid_client', /\[secret\]/],
    'provider://echo-header': ['token_endpoint_invalid_client', /Basic \[secret\]/],
    'provider://hangs': ['token_endpoint_timeout', /did not answer in time/],
    'provider://other-issuer': ['issuer_mismatch', /names the issuer http:\S+; it has to be the same to the character/],
    'provider://no-metadata': ['issuer_metadata_missing', /oauth-authorization-server answers status 404; look for/],
    'provider://no-key': ['private_key_malformed', /is no PEM and no JWK/],
    'provider://people': [undefined, /^$/],
    'provider://people-secret': ['token_endpoint_invalid_client', /invalid_client/],
    'provider://people-redirect': ['authorization_endpoint_refused', /redirect URI \S+\/callback\/not-registered;/],
    'provider://people-endpoint': ['authorization_endpoint_not_found', /\/authorise answers 404; look for a slip/],
    'provider://people-closed': ['authorization_endpoint_unreachable', /refuses connections/],
    [`sign-in:${issuer}`]: [undefined, /^$/],
    'sign-in:https://id.example': ['token_endpoint_invalid_client', /invalid_client/],
  };
  directory = await mkdtemp(join(tmpdir(), 'caracal-providers-'));
  const configuration = {
    gateway: { listen: gateway },
    tokenService: {
      listen: tokenService,
      applications: [{ id: 'agent', secret: { env: 'AGENT_SECRET' }, grants: [{ resource: BILLING, scopes: ['r'] }] }],
    },
    connect: {
      publicUrl: PAGES,
      signIn: [
        { issuer, clientId: 'people', redirectUri: `${PAGES}/connect/signed-in/host`, ...secret },
        { issuer: 'https://id.example', at: issuer, clientId: 'people', ...wrong },
      ],
    },
    providers,
    resources: [
      {
        identifier: BILLING,
        scopes: ['r'],
        upstreamUrl: 'http://127.0.0.1:9',
        allowPrivateNetwork: true,
        provider: 'provider://fine',
      },
    ],
  };
  await writeFile(join(directory, 'caracal.config.json'), JSON.stringify(configuration));
});

afterAll(async () => {
  await Promise.all([server?.close(), vendor?.close()]);
  silent?.close();
  tls?.close();
  await rm(directory, { recursive: true });
});

const check = (...args: string[]) => caracal(['check', ...args], { cwd: directory, env: ENV });

function expectNoSecret({ out, err }: Ran): void {
  for (const secret of Object.values(ENV)) {
    for (const form of [secret, encodeURIComponent(secret), Buffer.from(`machine:${secret}`).toString('base64')]) {
      expect(out + err).not.toContain(form);
    }
  }
}

describe('caracal check asks authorization servers', () => {
  it('and says precisely what is wrong with each, without a secret, and within its deadline', async () => {
    const ran = await check('--json');
    expectNoSecret(ran);
    const rows = ran.objects().filter(({ check: what }) => what === 'provider');
    expect(Object.fromEntries(rows.map(({ provider, reason }) => [provider, reason]))).toEqual(
      Object.fromEntries(Object.entries(expected).map(([provider, [reason]]) => [provider, reason])),
    );
    for (const { provider, result, explanation, remedy } of rows) {
      const said = [explanation, remedy].filter((part) => part !== undefined).join('; ');
      expect(said, provider).toMatch(expected[provider]![1]);
      expect(result).toBe(expected[provider]![0] === undefined ? 'passed' : 'failed');
    }
    expect(ran.code).toBe(1);
    // Nobody was signed in, and nothing was left behind.
    expect(server.tokenRequests.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await readdir(directory)).toEqual(['caracal.config.json']);
  });

  it('in words, of the resource that is named alone', async () => {
    const ran = await check('--resource', BILLING);
    expect({ code: ran.code, err: ran.err }).toEqual({ code: 0, err: '' });
    expect(ran.out).toContain('✓ provider://fine: the authorization server accepts the client\n');
    expect(ran.out).not.toContain('provider://wrong-secret');
    expectNoSecret(ran);
  });

  it('but not with --offline, and not without its secrets', async () => {
    const before = [server.tokenRequests.length, vendor.requests.length];
    for (const args of [['--offline'], ['--without-secrets']]) {
      const ran = await check(...args);
      expect({ code: ran.code, err: ran.err }).toEqual({ code: 0, err: '' });
      expect(ran.out).not.toContain('provider://');
    }
    expect([server.tokenRequests.length, vendor.requests.length]).toEqual(before);
  });
});
