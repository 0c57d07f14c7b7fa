import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Secret, sealSecret } from '@caracal/core';
import { type ConfigurationFile, configurationProblems } from '@caracal/server';
import { createTestIssuer } from '@caracal/testkit';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { type CommandWorld, commandWorld } from '../cli/world.js';
import { runBlock } from '../client/documented-blocks.js';
import { BILLING, mandateFrom, type ServerWorld, serverWorld } from '../server/server.js';
import { type AuthorizationServer, CLIENT_SECRET, startAuthorizationServer } from './authorization-server.js';
import { MiniBrowser } from './mini-browser.js';
import { startVendor } from './vendor.js';

const GATEWAY_SECRET = 'gateway-secret-canary-61ce';
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** The blocks of a document in one of these languages. */
function blocks(document: string, languages: string): readonly string[] {
  const text = readFileSync(fileURLToPath(new URL(`../../docs/${document}`, import.meta.url)), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`(?:${languages})\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, block]) => block!,
  );
}

function configurations(
  document: string,
  replaced: Readonly<Record<string, string>> = {},
): readonly ConfigurationFile[] {
  return blocks(document, 'json|yaml').map((block) => {
    let text = block;
    for (const [shown, real] of Object.entries(replaced)) text = text.replaceAll(shown, real);
    return JSON.parse(text) as ConfigurationFile; // YAML has to be turned into a test here first
  });
}

/** What a document leaves out because it is about something else. */
const around = (shown: ConfigurationFile): ConfigurationFile => ({
  ...shown,
  gateway: { listen: 8081, ...shown.gateway },
  tokenService: {
    listen: 8080,
    applications: [{ id: 'gateway', secret: { env: 'GATEWAY_SECRET' } }],
    ...shown.tokenService,
  },
});

async function served(world: Promise<ServerWorld>): Promise<ServerWorld> {
  const started = await world;
  closing.push(() => started.close());
  return started;
}

async function authorizationServer(clientId: string, redirectUri: string): Promise<AuthorizationServer> {
  const client = { client_id: clientId, client_secret: CLIENT_SECRET, redirect_uris: [redirectUri] };
  const grants = { grant_types: ['authorization_code', 'refresh_token'] };
  const server = await startAuthorizationServer({ clients: () => [{ ...client, ...grants }] });
  closing.push(() => server.close());
  return server;
}

describe('configurations in documents', () => {
  it.each(['upstream-oauth.md', 'providers/internal-api.md'])('%s: are in order', (document) => {
    const shown = configurations(document);
    expect(shown.length).toBeGreaterThan(0);
    for (const each of shown) expect(configurationProblems(around(each))).toEqual([]);
  });
});

describe('docs/upstream-oauth.md', () => {
  it('shows code that runs', async () => {
    const code = blocks('upstream-oauth.md', 'ts');
    expect(code).toHaveLength(3);
    const secrets = { GRAPH_SECRET: 'a', FILES_SECRET: 'b', ID_SECRET: 'c', GATEWAY_SECRET: 'd' };
    Object.assign(process.env, secrets);
    closing.push(async () => {
      for (const name of Object.keys(secrets)) delete process.env[name];
    });
    const made = (await runBlock(`${code.join('\n')}\nexport { graph, links, files, connect, internal };`)) as Record<
      'graph' | 'files' | 'internal',
      { readonly id: string; readonly kind: string }
    > & {
      readonly links: { callbackUri(id: string): string };
      readonly connect: { handler(request: Request): Promise<unknown> };
    };
    expect([made.graph, made.files, made.internal].map(({ id, kind }) => `${id} ${kind}`)).toEqual([
      'provider://graph oauth2_client_credentials',
      'provider://files oauth2_authorization_code',
      'provider://internal caracal_mandate',
    ]);
    expect(made.links.callbackUri('provider://files')).toBe('https://tokens.example/connect/callback/files');
    const answer = await made.connect.handler(new Request('https://tokens.example/connect?t=none'));
    expect((answer as Response).status).toBe(400);
    expect(await made.connect.handler(new Request('https://tokens.example/oauth/2/token'))).toBeUndefined();
  });

  it('shows a configuration by which a person signs in, connects, and its agent calls', async () => {
    let world: CommandWorld | undefined;
    let idp: AuthorizationServer | undefined;
    const jwks = await startVendor(() => ({ json: issuer.jwks() }));
    closing.push(() => jwks.close());
    world = await commandWorld({
      env: { FILES_SECRET: CLIENT_SECRET, ID_SECRET: CLIENT_SECRET, GATEWAY_SECRET },
      accepts: ({ headers }) => /^Bearer [\w-]{20,}$/.test(headers.authorization ?? ''),
      change: async (usual, url) => {
        const upstream = await authorizationServer('gateway', `${url.tokenService}/connect/callback/files`);
        // The default has the issuer's own host in it, whose port is not known before it listens.
        idp = await authorizationServer('caracal', `${url.tokenService}/connect/signed-in/id`);
        const [shown] = configurations('upstream-oauth.md', {
          'https://id.example/jwks': `${jwks.origin}/jwks`,
          'https://id.example': idp.issuer,
          'https://login.files.example': upstream.issuer,
          'https://files.example': usual.resources![0]!.upstreamUrl!,
          'https://tokens.example': url.tokenService,
        });
        const local = { allowPrivateNetwork: true };
        const signIn = { ...local, redirectUri: `${url.tokenService}/connect/signed-in/id` };
        return {
          ...usual,
          ...shown,
          tokenService: { ...usual.tokenService!, ...shown!.tokenService },
          connect: { signIn: shown!.connect!.signIn!.map((each) => ({ ...each, ...signIn })) },
          providers: shown!.providers!.map((each) => ({
            ...each,
            ...local,
            authorizationParameters: { prompt: 'consent' },
          })),
          resources: shown!.resources!.map((each) => ({ ...each, ...local })),
        } as ConfigurationFile;
      },
    });
    closing.push(() => world!.close());
    const issuer = await createTestIssuer({ issuer: idp!.issuer });
    const { identifier, scopes } = world.configuration.resources![0]!;
    const mandate = await issuer.mint({ sub: 'alice', target: [identifier], scope: scopes!.join(' ') });
    const call = () =>
      fetch(`${world!.url.gateway}/v1/files`, {
        headers: { 'X-Caracal-Resource': identifier, Authorization: `Bearer ${mandate}` },
      });
    const refused = await call();
    const { error, connect_uri: address } = (await refused.json()) as { error: string; connect_uri: string };
    expect([refused.status, error, world.seen.length]).toEqual([403, 'connection_required', 0]);
    const browser = new MiniBrowser();
    const decision = await browser.signIn(await browser.open(address), 'alice');
    const done = await browser.signIn(await browser.submit(decision, { do: 'connect' }), 'alice@files');
    expect(done.text).toContain('Files is connected');
    expect((await call()).status).toBe(200);
    expect(world.seen.at(-1)?.headers.authorization).not.toContain(mandate);
    expect(world.serving.err).not.toContain(CLIENT_SECRET);
  });
});

describe('docs/providers/internal-api.md', () => {
  const replaced = (usual: ConfigurationFile) =>
    configurations('providers/internal-api.md', {
      'https://billing.internal.example': usual.resources![0]!.upstreamUrl!,
    })[0]!;
  const exchanging = (usual: ConfigurationFile): ConfigurationFile => {
    const shown = replaced(usual);
    const gateway = { id: 'gateway', secret: { env: 'GATEWAY_SECRET' } };
    const applications = [...usual.tokenService!.applications, gateway];
    return {
      ...usual,
      ...shown,
      gateway: { ...usual.gateway, ...shown.gateway },
      tokenService: { listen: 0, applications },
    };
  };
  const environment = { GATEWAY_SECRET };

  it('exchanges, as it stands there, and the upstream verifies what it gets', async () => {
    const world = await served(serverWorld(exchanging, {}, environment));
    const mandate = await world.mandate();
    await world.call(mandate);
    const sent = world.seen.at(-1)!.headers.authorization!.replace('Bearer ', '');
    expect(sent).not.toBe(mandate);
    const keys = createRemoteJWKSet(new URL(`${world.url.tokenService}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(sent, keys, { issuer: world.url.tokenService, audience: BILLING });
    const presented = decodeJwt(mandate);
    expect(payload).toMatchObject({
      sub: 'billing-agent',
      client_id: 'billing-agent',
      sid: presented.sid,
      use: 'resource',
      act: { sub: 'gateway' },
    });
    expect(payload.exp).toBeLessThanOrEqual(presented.exp!);
    for (const secret of [GATEWAY_SECRET, mandate, sent]) expect(JSON.stringify(world.logged)).not.toContain(secret);
  });

  it('exchanges at a token service elsewhere, with a sealed secret, which opens for that place alone', async () => {
    const tokens = await served(serverWorld(exchanging, {}, environment));
    const { origin } = new URL(tokens.url.tokenService);
    const sealingKey = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';
    const binding = { zoneId: 'default', providerId: 'gateway', field: 'applicationSecret' };
    const sealedFor = (at: string) =>
      sealSecret(GATEWAY_SECRET, { id: 'k1', key: new Secret(sealingKey) }, { ...binding, origins: [at] });
    const elsewhere = (sealed: string) =>
      serverWorld(
        (usual) => {
          const { tokenService: _, ...rest } = usual;
          const shown = replaced(usual);
          const identity = { application: 'gateway', secret: { sealed }, allowPrivateNetwork: true };
          return {
            ...rest,
            ...shown,
            gateway: { ...usual.gateway, identity: { ...identity, tokenEndpoint: `${origin}/oauth/2/token` } },
            issuers: [{ issuer: origin, jwksUri: `${origin}/.well-known/jwks.json` }],
            sealing: { keys: [{ id: 'k1', key: { env: 'SEALING_KEY' } }] },
          };
        },
        {},
        { SEALING_KEY: sealingKey },
      );
    const mandate = await mandateFrom(origin, 'billing:read');
    const world = await served(elsewhere(await sealedFor(origin)));
    await world.call(mandate);
    const sent = world.seen.at(-1)!.headers.authorization!.replace('Bearer ', '');
    expect(decodeJwt(sent)).toMatchObject({ aud: BILLING, act: { sub: 'gateway' } });

    const moved = await served(elsewhere(await sealedFor('https://other.example')));
    const refused = await moved.call(mandate);
    expect([refused.status, refused.headers.get('x-caracal-error')]).toEqual([503, 'credential_unavailable']);
    expect(moved.seen).toEqual([]);
  });
});
