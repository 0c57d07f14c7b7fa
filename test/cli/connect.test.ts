import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConfigurationFile } from '@caracal/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuthorizationServer, CLIENT_SECRET, startAuthorizationServer } from '../oauth/authorization-server.js';
import { MiniBrowser } from '../oauth/mini-browser.js';
import type { Ran } from './caracal.js';
import { BILLING, type CommandWorld, commandWorld, freePorts, SECRETS } from './world.js';

const FILES = 'provider://files';
const ENV = { FILES_SECRET: CLIENT_SECRET };

let world: CommandWorld;
let upstream: AuthorizationServer;

beforeAll(async () => {
  world = await commandWorld({
    env: ENV,
    accepts: ({ headers }) => /^Bearer [\w-]{20,}$/.test(headers.authorization ?? ''),
    change: async (usual, url) => {
      upstream = await startAuthorizationServer({
        clients: () => [
          {
            client_id: 'gateway',
            client_secret: CLIENT_SECRET,
            grant_types: ['authorization_code', 'refresh_token'],
            redirect_uris: [`${url.tokenService}/connect/callback/files`],
          },
        ],
      });
      return {
        ...usual,
        providers: [
          ...usual.providers!,
          {
            id: FILES,
            kind: 'oauth2_authorization_code',
            title: 'Files',
            issuer: upstream.issuer,
            clientId: 'gateway',
            clientSecret: { env: 'FILES_SECRET' },
            scopes: ['openid', 'offline_access'],
            authorizationParameters: { prompt: 'consent' },
            allowPrivateNetwork: true,
            shared: true,
          },
        ],
        resources: usual.resources!.map((resource) => ({ ...resource, provider: FILES })),
      };
    },
  });
});

afterAll(async () => {
  await world?.close();
  await upstream?.close();
});

const READ = ['mandate', '--application', 'billing-agent', '--resource', BILLING, '--scope', 'billing:read'];
const WHOSE = ['--provider', FILES, '--subject', 'billing-agent'];

function expectDone(ran: Ran): void {
  expect({ code: ran.code, err: ran.err }).toEqual({ code: 0, err: '' });
  expectNoSecret(ran);
}

function expectNoSecret({ out, err }: Ran): void {
  const sent = world.seen.map(({ headers }) => headers.authorization?.replace('Bearer ', '') ?? '');
  for (const secret of [...Object.values(SECRETS), CLIENT_SECRET, ...sent.filter((token) => token !== '')]) {
    expect(out + err).not.toContain(secret);
  }
}

async function expectFault(
  args: readonly string[],
  code: 1 | 2,
  fault: string,
  env: Readonly<Record<string, string>> = { ...SECRETS, ...ENV },
): Promise<void> {
  const ran = await world.caracal(args, { env });
  expect({ code: ran.code, out: ran.out }).toEqual({ code, out: '' });
  expect(ran.err).toContain(fault);
  expect(ran.err).toMatch(/^(caracal: .*\n|\{"level":"error",.*\}\n)+$/);
  expectNoSecret(ran);
}

async function connectAt(address: string, account: string): Promise<string> {
  const browser = new MiniBrowser();
  const decision = await browser.open(address);
  expect(decision.text).toContain('Connect Files');
  return (await browser.signIn(await browser.submit(decision, { do: 'connect' }), account)).text;
}

async function call() {
  return world.call((await world.caracal(READ)).out.trim());
}

describe('caracal connect', () => {
  it('invites, and once the address was followed lists the account, calls succeed, and disconnecting ends that', async () => {
    const before = world.seen.length;
    expect(await call()).toMatchObject({ status: 403, error: 'connection_required' });
    expect(world.seen).toHaveLength(before);
    const none = await world.caracal(['connect', 'list']);
    expectDone(none);
    expect(none.out).toBe('no account is connected\n');

    const invited = await world.caracal(['connect', 'invite', ...WHOSE]);
    expectDone(invited);
    const address = invited.out.trim();
    expect(address).toMatch(new RegExp(`^${world.url.tokenService}/connect\\?t=[\\w.-]+$`));
    expect(await connectAt(address, 'robot@upstream')).toContain('Files is connected');
    expect(await new MiniBrowser().open(address).then(({ url }) => url)).not.toContain('callback');

    expect(await call()).toMatchObject({ status: 200, error: null });
    const listed = await world.caracal(['connect', 'list', '--json']);
    expectDone(listed);
    expect(listed.objects()).toEqual([
      {
        zone: 'default',
        provider: FILES,
        issuer: world.url.tokenService,
        subject: 'billing-agent',
        connectionId: expect.stringMatching(/^cn_/),
        connectedAt: expect.any(String),
        expiresAt: expect.any(String),
        scope: 'openid offline_access',
        state: 'connected',
        renewable: true,
      },
    ]);
    const text = await world.caracal(['connect', 'list', ...WHOSE]);
    expectDone(text);
    expect(text.out).toMatch(
      /^PROVIDER .*\nprovider:\/\/files +default +billing-agent +http:\S+ +connected +\S+ +renews/,
    );
    expect((await world.caracal(['connect', 'list', '--shared'])).out).toBe('no account is connected\n');

    const ended = await world.caracal(['connect', 'disconnect', ...WHOSE]);
    expectDone(ended);
    expect(ended.out).toBe(
      `disconnected: the account of billing-agent (${world.url.tokenService}) at ${FILES} in zone default; the upstream has taken its tokens back\n`,
    );
    // The process that disconnected knows at once.
    const reached = world.seen.length;
    expect(await call()).toMatchObject({ status: 403, error: 'connection_required' });
    expect(world.seen).toHaveLength(reached);
    expect(upstream.revoked.length).toBeGreaterThan(0);
    await expectFault(['connect', 'disconnect', ...WHOSE], 1, 'is not connected; see who is: caracal connect list');
  });

  it('invites to a shared connection, which serves whoever has none, and says how long the address is good', async () => {
    const invited = await world.caracal(['connect', 'invite', '--shared', '--ttl', '60', '--json']);
    expectDone(invited);
    const [{ connectUri, ...rest }] = invited.objects();
    expect(rest).toEqual({ expiresInSeconds: 60, zone: 'default', provider: FILES, shared: true });
    expect(await connectAt(connectUri, 'team@upstream')).toContain('Files is connected');
    expect(await call()).toMatchObject({ status: 200 });
    expect((await world.caracal(['connect', 'list', '--json'])).objects()).toMatchObject([{ shared: true }]);
    const few = await world.caracal(['connect', 'list', '--limit', '1']);
    expect(few.err).toBe('note: there may be more than these 1: narrow it, or raise --limit\n');
    const ended = await world.caracal(['connect', 'disconnect', '--shared', '--json']);
    expect(ended.objects()).toEqual([
      { disconnected: { zone: 'default', provider: FILES, shared: true }, upstream: 'revoked' },
    ]);
    expect(await call()).toMatchObject({ status: 403, error: 'connection_required' });
  });

  it('escapes what other people call themselves', async () => {
    const invited = await world.caracal(['connect', 'invite', '--subject', '‮evil', '--issuer', 'https://id.example']);
    await connectAt(invited.out.trim(), 'evil@upstream');
    const listed = await world.caracal(['connect', 'list']);
    expect(listed.out).toContain('\\u202eevil');
    expectDone(await world.caracal(['connect', 'disconnect', '--subject', '‮evil', '--issuer', 'https://id.example']));
  });

  it.each([
    [['invite'], 2, 'say whose: --subject ID, or --shared'],
    [['invite', '--shared', '--subject', 'a'], 2, '--shared is the connection of nobody in particular'],
    [['invite', '--provider', 'provider://filse', '--subject', 'a'], 2, 'did you mean provider://files?'],
    [['list', '--provider', 'provider://filse'], 2, 'there is no provider provider://filse in the configuration'],
    [
      ['disconnect', '--provider', 'provider://billing', '--subject', 'a'],
      2,
      'provider://billing is of kind api_key, which nobody connects to; of kind oauth2_authorization_code there are',
    ],
    [['invite', '--subject', 'a', '--ttl', '1h'], 2, '--ttl is a whole number above 0'],
    [['invite', '--subject', 'a', '--ttl', '86401'], 1, 'ttlSeconds is no whole number from 1 to 86400; give one'],
    [['invite', '--subject', 'a', '--zone', 'no zone'], 1, 'zone is no zone; give'],
    [['list', '--limit', '10001'], 1, 'limit is no whole number from 1 to 10000; give one'],
    [['list', '--config', 'missing.json'], 2, 'missing.json: is not there'],
  ] as const)('refuses %j', async (args, code, fault) => {
    await expectFault(['connect', ...args], code, fault);
  });

  it('says faults as objects as well, and has done nothing where it refused', async () => {
    await expectFault(['connect', 'invite', '--json'], 2, '"message":"say whose: --subject ID, or --shared"');
    expect((await world.caracal(['connect', 'list'])).out).toBe('no account is connected\n');
  });

  it('says where there is nothing to connect to, no admin endpoint, no server, and another admin token', async () => {
    const write = async (configuration: ConfigurationFile): Promise<string[]> => {
      await writeFile(join(world.directory, 'other.json'), JSON.stringify(configuration));
      return ['connect', 'invite', ...WHOSE, '--config', 'other.json'];
    };
    const { configuration } = world;
    const keys = configuration.providers!.slice(0, 1);
    const [resource] = configuration.resources!;
    const without = { ...configuration, providers: keys, resources: [{ ...resource!, provider: keys[0]!.id }] };
    await expectFault(await write(without), 2, 'has no provider of kind oauth2_authorization_code');
    await expectFault(
      ['connect', 'list', '--config', 'other.json'],
      2,
      'has no provider of kind oauth2_authorization_code',
    );
    const { admin, ...unadministered } = configuration;
    await expectFault(await write(unadministered), 2, 'has no admin endpoint');
    const [port] = await freePorts(1);
    await expectFault(
      await write({ ...configuration, admin: { ...admin!, listen: port! } }),
      1,
      `nothing listens at http://127.0.0.1:${port}; connections are the running gateway’s: start it with caracal serve`,
    );
    const notShared = configuration.providers!.map((provider) =>
      provider.kind === 'oauth2_authorization_code' ? { ...provider, shared: false } : provider,
    );
    await write({ ...configuration, providers: notShared });
    await expectFault(['connect', 'invite', '--shared', '--config', 'other.json'], 2, 'allows no shared connection');
    // The file names a provider that the running gateway does not have.
    const renamed = configuration.providers!.map((provider) =>
      provider.id === FILES ? { ...provider, id: 'provider://newer' } : provider,
    );
    await write({ ...configuration, providers: renamed, resources: [{ ...resource!, provider: 'provider://newer' }] });
    await expectFault(
      ['connect', 'invite', '--subject', 'a', '--config', 'other.json'],
      1,
      'there is no provider provider://newer that people connect to; does it run this configuration? reload it',
    );
    await expectFault(['connect', 'list'], 1, 'refuses the token', { ...SECRETS, ...ENV, ADMIN_TOKEN: 'x'.repeat(20) });
  });

  it('logs who was invited, and no address or token', () => {
    const { err } = world.serving;
    expect(err).toContain('"event":"connection_invited"');
    expect(err).not.toContain('/connect?t=');
    const tokens = world.seen.map(({ headers }) => headers.authorization?.replace('Bearer ', '') ?? '');
    for (const secret of [CLIENT_SECRET, ...tokens.filter((token) => token !== '')]) expect(err).not.toContain(secret);
  });
});
