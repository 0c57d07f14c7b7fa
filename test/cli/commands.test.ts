import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Ran } from './caracal.js';
import { BILLING, type CommandWorld, commandWorld, freePorts, journalText, SECRETS } from './world.js';

let world: CommandWorld;

beforeAll(async () => {
  world = await commandWorld();
});

afterAll(async () => {
  await world.close();
});

const READ = ['--application', 'billing-agent', '--resource', BILLING, '--scope', 'billing:read'];

async function mandateOf(...args: string[]): Promise<string> {
  const { code, out, err } = await world.caracal(['mandate', ...(args.length === 0 ? READ : args)]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out.trim();
}

/** A command that did what it should prints no secret, and nothing to standard error. */
function expectDone(ran: Ran): void {
  expect({ code: ran.code, err: ran.err }).toEqual({ code: 0, err: '' });
  expectNoSecret(ran);
}

function expectFault(ran: Ran, code: 1 | 2, fault: string): void {
  expect({ code: ran.code, out: ran.out }).toEqual({ code, out: '' });
  expect(ran.err).toContain(fault);
  expect(ran.err).toMatch(/^(caracal: .*\n|\{"level":"error",.*\}\n)+$/);
  expectNoSecret(ran);
}

function expectNoSecret({ out, err }: Ran): void {
  for (const secret of Object.values(SECRETS)) expect(out + err).not.toContain(secret);
}

describe('caracal serve', () => {
  it('prints one JSON line a listener', () => {
    const lines = world.serving.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      { event: 'listening', name: 'gateway', url: world.url.gateway },
      { event: 'listening', name: 'tokenService', url: world.url.tokenService },
      { event: 'listening', name: 'admin', url: world.url.admin },
    ]);
  });

  it('says in a line why it cannot start', async () => {
    expectFault(await world.caracal(['serve']), 1, 'is in use by a running process');
    expectFault(await world.caracal(['serve', '--config', 'missing.json']), 2, 'missing.json: is not there');
    expectFault(await world.caracal(['serve', '--json', '--config', 'missing.json']), 2, '"fault":"is not there"');
    const taken = { ...world.configuration, stores: { stateDirectory: 'another' } };
    await writeFile(join(world.directory, 'taken.json'), JSON.stringify(taken));
    const unbound = await world.caracal(['serve', '--config', 'taken.json']);
    expect({ code: unbound.code, out: unbound.out }).toEqual({ code: 1, out: '' });
    expect(unbound.err).toMatch(
      /\ncaracal: tokenService cannot listen on \S+ \(EADDRINUSE\); end whoever listens there/,
    );
    expectNoSecret(unbound);
  });
});

describe('caracal mandate', () => {
  it('prints a mandate and nothing else, which the gateway accepts', async () => {
    const ran = await world.caracal(['mandate', ...READ]);
    expectDone(ran);
    expect(ran.out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(decodeJwt(ran.out.trim())).toMatchObject({
      client_id: 'billing-agent',
      scope: 'billing:read',
      target: [BILLING],
    });
    expect(await world.call(ran.out.trim())).toMatchObject({ status: 200, error: null });
  });

  it('takes a life, and gives a session without a resource', async () => {
    const ran = await world.caracal(['mandate', '--application', 'billing-agent', '--ttl', '60', '--json']);
    expectDone(ran);
    const [{ mandate, expiresInSeconds }] = ran.objects();
    expect(expiresInSeconds).toBe(60);
    expect(decodeJwt(mandate).use).toBe('session');
  });

  it.each([
    [[], 2, '--application is one of billing-agent, other-agent'],
    [
      ['--application', 'billing-agnet'],
      2,
      'there is no application billing-agnet in the configuration; did you mean billing-agent?',
    ],
    [['--application', 'billing-agent', '--ttl', '-5'], 2, '--ttl needs a value'],
    [['--application', 'billing-agent', '--ttl', '1m'], 2, '--ttl is a whole number above 0'],
    [
      ['--application', 'billing-agent', '--resource', 'resource://payroll'],
      1,
      'the token service refuses with invalid_target',
    ],
    [
      ['--application', 'billing-agent', '--resource', BILLING, '--scope', 'billing:all'],
      1,
      'the token service refuses with invalid',
    ],
    [['--config', 'missing.json'], 2, 'missing.json: is not there'],
  ] as const)('refuses %j', async (args, code, fault) => {
    expectFault(await world.caracal(['mandate', ...args]), code, fault);
    expectFault(await world.caracal(['mandate', ...args, '--json']), code, fault);
  });

  it('says which secret is missing, and that nothing runs', async () => {
    const { AGENT_SECRET: _, ...without } = SECRETS;
    expectFault(
      await world.caracal(['mandate', ...READ], { env: without }),
      1,
      'environment variable AGENT_SECRET, which is not set',
    );
    expectFault(
      await world.caracal(['mandate', ...READ, '--config', await stopped()]),
      1,
      'nothing listens at http://127.0.0.1:',
    );
  });
});

/** The usual configuration, of a gateway that does not run. */
async function stopped(): Promise<string> {
  const [gateway, tokenService, admin] = await freePorts(3);
  const configuration = {
    ...world.configuration,
    gateway: { listen: gateway },
    tokenService: {
      ...world.configuration.tokenService,
      listen: tokenService,
      issuer: `http://127.0.0.1:${tokenService}`,
    },
    admin: { ...world.configuration.admin, listen: admin },
    stores: { stateDirectory: 'stopped' },
  };
  await writeFile(join(world.directory, 'stopped.json'), JSON.stringify(configuration));
  return 'stopped.json';
}

describe('caracal explain', () => {
  it('tells every check of a call that would be allowed, and makes none', async () => {
    const mandate = await mandateOf();
    const before = world.seen.length;
    const journal = await journalText(world.directory);
    const ran = await world.caracal(
      ['explain', 'GET', '/v1/invoices/42?q=1', '--resource', BILLING, '--mandate', '-'],
      { stdin: `${mandate}\n` },
    );
    expectDone(ran);
    expect(ran.out).toMatch(/^allowed\n\n {2}application +billing-agent\n/);
    expect(ran.out).toMatch(/✓ 10 +scopes\n/);
    expect(ran.out).not.toContain(mandate);
    const json = await world.caracal([
      'explain',
      'GET',
      '/v1/invoices/42',
      '--resource',
      BILLING,
      '--mandate',
      mandate,
      '--json',
    ]);
    expect(json.objects()).toEqual([expect.objectContaining({ decision: 'allowed', resource: BILLING })]);
    expect(world.seen).toHaveLength(before);
    expect(await journalText(world.directory)).toBe(journal);
  });

  it.each([
    [['GET', '/v1/invoices/42', '--resource', BILLING], 'refused: missing_token'],
    [['POST', '/v1/invoices', '--resource', BILLING, '--mandate', '-'], 'refused: insufficient_scope'],
    [['GET', '/v1/nothing', '--resource', BILLING, '--mandate', '-'], 'refused: operation_not_permitted'],
    [['GET', '/billing/v1/invoices/../42', '--mandate', '-'], 'refused: invalid_request'],
  ] as const)('%j: %s', async (args, verdict) => {
    const ran = await world.caracal(['explain', ...args], { stdin: await mandateOf() });
    expect({ code: ran.code, err: ran.err }).toEqual({ code: 1, err: '' });
    expect(ran.out).toContain(verdict);
    expect(ran.out).toMatch(/✗ /);
  });

  it('goes by a mount as well, and by further headers', async () => {
    const mandate = await mandateOf();
    const mounted = await world.caracal(['explain', 'GET', '/billing/v1/invoices/42', '--mandate', mandate]);
    expect(mounted.out).toMatch(/^allowed\n/);
    const two = await world.caracal([
      'explain',
      'GET',
      '/v1/invoices/42',
      '--mandate',
      mandate,
      '--header',
      'X-Caracal-Client-Id: x',
    ]);
    expect(two.out).toMatch(/^refused: invalid_request/);
  });

  it('refuses what is no call', async () => {
    expectFault(await world.caracal(['explain', 'GET']), 2, 'PATH is missing');
    expectFault(await world.caracal(['explain', 'GET', 'v1']), 2, 'PATH begins with a slash');
    expectFault(await world.caracal(['explain', 'GET', '/v1', '--header', 'x']), 2, '--header is NAME:VALUE');
    expectFault(
      await world.caracal(['explain', 'GET', '/v1', '--config', await stopped()]),
      1,
      'start the gateway: caracal serve',
    );
  });
});

describe('caracal profile', () => {
  it('prints an environment that a shell reads, without the secret', async () => {
    const ran = await world.caracal(['profile', '--application', 'billing-agent']);
    expectDone(ran);
    expect(ran.out.trimEnd().split('\n')).toEqual([
      `CARACAL_GATEWAY_URL=${world.url.gateway}`,
      `CARACAL_TOKEN_URL=${world.url.tokenService}/oauth/2/token`,
      'CARACAL_ZONE=default',
      'CARACAL_APPLICATION_ID=billing-agent',
      'CARACAL_APPLICATION_SECRET_ENV=AGENT_SECRET',
      `CARACAL_RESOURCES=${BILLING}`,
    ]);
  });

  it('prints the file form, and the secret only where it is asked for', async () => {
    const ran = await world.caracal(['profile', '--application', 'billing-agent', '--json']);
    expectDone(ran);
    expect(ran.objects()).toEqual([
      {
        caracalProfile: 1,
        gatewayUrl: world.url.gateway,
        tokenUrl: `${world.url.tokenService}/oauth/2/token`,
        issuer: world.url.tokenService,
        zone: 'default',
        applicationId: 'billing-agent',
        applicationSecret: { env: 'AGENT_SECRET' },
        resources: [
          { identifier: BILLING, scopes: ['billing:read', 'billing:submit'], url: `${world.url.gateway}/billing` },
        ],
      },
    ]);
    const told = await world.caracal(['profile', '--application', 'billing-agent', '--with-secret']);
    expect(told.out).toContain(`CARACAL_APPLICATION_SECRET=${SECRETS.AGENT_SECRET}\n`);
  });

  it('writes a new file that only its owner can read', async () => {
    const args = ['profile', '--application', 'billing-agent', '--format', 'file', '--output', 'agent.profile'];
    const ran = await world.caracal(args);
    expectDone(ran);
    expect(ran.out).toBe('');
    const path = join(world.directory, 'agent.profile');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(path, 'utf8')).applicationId).toBe('billing-agent');
    expectFault(await world.caracal(args), 1, 'agent.profile: it exists already');
    expectFault(await world.caracal(['profile', '--format', 'toml']), 2, '--format is one of env, file');
  });
});

describe('caracal seal', () => {
  it('seals for one place, where it opens and nowhere else', async () => {
    const ran = await world.caracal(['seal', '--for', 'provider://billing'], { stdin: `${SECRETS.UPSTREAM_KEY}\n` });
    expectDone(ran);
    const { sealed } = JSON.parse(ran.out);
    expect(sealed).toMatch(/^v1\.k1\./);
    const [provider] = world.configuration.providers!;
    const check = async (changes: object) => {
      const configuration = { ...world.configuration, providers: [{ ...provider, secret: { sealed }, ...changes }] };
      await writeFile(join(world.directory, 'sealed.json'), JSON.stringify(configuration));
      return world.caracal(['check', '--offline', '--config', 'sealed.json']);
    };
    expectDone(await check({}));
    const moved = await check({
      origins: ['https://elsewhere.example', ...(provider as { origins: string[] }).origins],
    });
    expectFault(moved, 2, 'does not open');
  });

  it('seals the secrets of an OAuth provider for its token endpoint as well', async () => {
    const { origins } = world.configuration.providers![0] as { origins: string[] };
    const oauth = {
      id: 'provider://oauth',
      kind: 'oauth2_client_credentials',
      tokenEndpoint: 'https://id.example/token',
      clientId: 'caracal',
      origins,
    };
    const write = (clientSecret: object) => {
      const providers = [...world.configuration.providers!, { ...oauth, clientSecret }];
      return writeFile(join(world.directory, 'oauth.json'), JSON.stringify({ ...world.configuration, providers }));
    };
    await write({ env: 'OTHER_SECRET' });
    const args = ['seal', '--for', 'provider://oauth', '--config', 'oauth.json'];
    expectFault(
      await world.caracal(args, { stdin: 'x' }),
      2,
      'choose provider://oauth.clientSecret or provider://oauth.privateKey',
    );
    const ran = await world.caracal(['seal', '--for', 'provider://oauth.clientSecret', ...args.slice(3)], {
      stdin: SECRETS.OTHER_SECRET,
    });
    expectDone(ran);
    await write(JSON.parse(ran.out));
    expectDone(await world.caracal(['check', '--offline', '--config', 'oauth.json']));
  });

  it('seals an application’s secret, with which it then gets mandates', async () => {
    const ran = await world.caracal(['seal', '--for', 'billing-agent', '--json'], { stdin: SECRETS.AGENT_SECRET });
    expectDone(ran);
    const [{ sealed, field }] = ran.objects();
    expect(field).toBe('applicationSecret');
    const tokenService = {
      ...world.configuration.tokenService,
      applications: [
        { id: 'billing-agent', secret: { sealed }, grants: [{ resource: BILLING, scopes: ['billing:read'] }] },
      ],
    };
    await writeFile(join(world.directory, 'sealed.json'), JSON.stringify({ ...world.configuration, tokenService }));
    expect(await world.call(await mandateOf('--config', 'sealed.json', '--resource', BILLING))).toMatchObject({
      status: 200,
    });
  });

  it.each([
    [['--for', 'provider://biling'], 'x', 2, 'did you mean provider://billing?'],
    [['--for', 'provider://billing.password'], 'x', 2, 'names no secret of the configuration'],
    [['--for', 'provider://billing', '--zone', 'other'], 'x', 2, '--zone other: provider://billing is used in default'],
    [['--for', 'provider://billing'], '\n', 2, 'standard input is empty'],
    [['--for', 'provider://billing'], Buffer.from([0xff, 0xfe]), 1, 'standard input is no UTF-8 text'],
    [['--for', 'provider://billing'], 'x'.repeat(70_000), 1, 'standard input holds more than'],
    [['--for', 'provider://billing'], 'x'.repeat(20_000), 1, 'the secret has more than 16384 bytes'],
    [[], 'x', 2, '--for ID[.FIELD] is missing'],
  ] as const)('refuses %j', async (args, stdin, code, fault) => {
    expectFault(await world.caracal(['seal', ...args], { stdin }), code, fault);
  });
});

describe('caracal check', () => {
  const relays: Server[] = [];
  afterEach(() => {
    for (const relay of relays.splice(0)) relay.close();
  });

  it('is green against the running gateway, and one call reaches the upstream', async () => {
    const before = world.seen.length;
    const ran = await world.caracal(['check']);
    expectDone(ran);
    expect(ran.out).toMatch(
      /^caracal\.config\.json is in order: 1 resource, 1 provider, 2 applications \(version [0-9a-f]{12}\)\n/,
    );
    expect(ran.out.match(/^✓/gm)).toHaveLength(5);
    expect(ran.out).toContain(
      'the credential of provider://billing (api_key) was attached; evidence: request.authorized, request.completed',
    );
    expect(ran.out).toMatch(/\nready\n$/);
    expect(world.seen).toHaveLength(before + 1);
  });

  it('tells the same as objects', async () => {
    const ran = await world.caracal(['check', '--json', '--resource', BILLING]);
    expectDone(ran);
    const rows = ran.objects().filter(({ resource }) => resource === BILLING);
    expect(rows.map(({ check, answered, result }) => [check, answered, result])).toEqual([
      ['allowed request', '200', 'passed'],
      ['missing mandate', '401 missing_token', 'passed'],
      ['missing scope', '403 insufficient_scope', 'passed'],
      ['wrong resource', '403 resource_not_permitted', 'passed'],
      ['revoked session', '401 session_revoked', 'passed'],
    ]);
    expect(new Set(rows.map(({ requestId }) => requestId)).size).toBe(5);
  });

  it('checks the file alone where nothing runs, or where that is wanted', async () => {
    const ran = await world.caracal(['check', '--config', await stopped()]);
    expectDone(ran);
    expect(ran.out).toContain('no gateway answers on http://127.0.0.1:');
    const offline = await world.caracal(['check', '--offline']);
    expectDone(offline);
    expect(offline.out.trimEnd().split('\n')).toHaveLength(1);
  });

  it('notes an upstream whose address every call will be refused for', async () => {
    const hosts = ['10.1.2.3', '[fd00::1]', '169.254.169.254', '93.184.216.34'];
    const added = hosts.map((host, index) => ({ identifier: `resource://${index}`, upstreamUrl: `https://${host}` }));
    const resources = [...(world.configuration.resources ?? []), ...added];
    const file = join(world.directory, 'addresses.json');
    await writeFile(file, JSON.stringify({ ...world.configuration, resources }));
    const { code, err } = await world.caracal([
      'check',
      '--offline',
      '--without-secrets',
      '--config',
      'addresses.json',
    ]);
    expect(err.trimEnd().split('\n')).toEqual([
      expect.stringContaining('10.1.2.3 is not public; if it is meant, allow it: allowPrivateNetwork: ["10.1.2.3/32"]'),
      expect.stringContaining('allowPrivateNetwork: ["fd00::1/128"]'),
      expect.stringContaining('169.254.169.254 is not public; and no setting allows it'),
    ]);
    expect(code).toBe(0);
  });

  it('names secrets that cannot be had, unless that is not wanted', async () => {
    const { UPSTREAM_KEY: _, AGENT_SECRET: __, ...env } = SECRETS;
    const ran = await world.caracal(['check', '--offline'], { env });
    expectFault(
      ran,
      2,
      'tokenService.applications[0].secret: is kept in the environment variable AGENT_SECRET, which is not set',
    );
    expect(ran.err).toContain('providers[0].secret: is kept in the environment variable UPSTREAM_KEY');
    expectDone(await world.caracal(['check', '--offline', '--without-secrets'], { env }));
  });

  it('refuses a resource it does not know', async () => {
    expectFault(await world.caracal(['check', '--resource', 'resource://biling-api']), 2, `did you mean ${BILLING}?`);
  });

  it('names all of twelve mistakes at once', async () => {
    const { gateway: _, ...usual } = world.configuration;
    const [resource] = usual.resources!;
    const [operation] = resource!.operations!;
    const planted = {
      ...usual,
      gatway: {},
      zone: 'no zone',
      gateway: { listen: 'nowhere', drainTimeoutMs: -1 },
      providers: [
        { ...usual.providers![0], secret: 'plain-text-secret' },
        { id: 'provider://billing', kind: 'api_keys' },
      ],
      resources: [
        {
          ...resource,
          provider: 'provider://biling',
          operations: [{ ...operation, path: 'v1' }],
          mandateReuse: 'never',
        },
        { identifier: 'not a uri', upstreamUrl: 'ftp://files.example' },
      ],
      admin: { listen: 'nowhere', token: { env: 'ADMIN-TOKEN' } },
    };
    await writeFile(join(world.directory, 'planted.json'), JSON.stringify(planted, null, 2));
    const ran = await world.caracal(['check', '--config', 'planted.json', '--json']);
    expect({ code: ran.code, out: ran.out }).toEqual({ code: 2, out: '' });
    expect(ran.err).not.toContain('plain-text-secret');
    const paths = ran.errors().map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        'gatway',
        'zone',
        'gateway.listen',
        'gateway.drainTimeoutMs',
        'providers[0].secret',
        'providers[1].kind',
        'resources[0].provider',
        'resources[0].operations[0].path',
        'resources[0].mandateReuse',
        'resources[1].identifier',
        'resources[1].upstreamUrl',
        'admin.token.env',
      ]),
    );
    for (const { fault, remedy, line } of ran.errors())
      expect([fault, remedy, line]).toEqual([expect.any(String), expect.any(String), expect.any(Number)]);
    const text = await world.caracal(['check', '--config', 'planted.json']);
    expect(text.err.trimEnd().split('\n')).toHaveLength(paths.length);
  });

  /** Something in the gateway's place that changes what passes through. */
  async function checkThrough(
    change: (headers: Headers) => void,
    answer: (status: number, headers: [string, string][]) => [number, [string, string][]] = (status, headers) => [
      status,
      headers,
    ],
  ): Promise<string[]> {
    const relay = createServer((req, res) => {
      const headers = new Headers(Object.entries(req.headers) as [string, string][]);
      for (const name of ['host', 'connection']) headers.delete(name);
      change(headers);
      void fetch(world.url.gateway + req.url, { headers }).then(async (answered) => {
        const told = [...answered.headers].filter(([name]) => name.startsWith('x-caracal')) as [string, string][];
        const [status, list] = answer(answered.status, told);
        res.writeHead(status, Object.fromEntries(list));
        res.end(await answered.text());
      });
    });
    relays.push(relay);
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    const gateway = { listen: (relay.address() as AddressInfo).port };
    const configuration = { ...world.configuration, gateway, stores: { stateDirectory: '.caracal' } };
    await writeFile(join(world.directory, 'relay.json'), JSON.stringify(configuration));
    const ran = await world.caracal(['check', '--config', 'relay.json', '--json']);
    expect(ran.code).toBe(1);
    return ran
      .objects()
      .filter(({ result }) => result === 'failed')
      .map(({ check }) => check);
  }

  it('turns red where something in front adds a mandate', async () => {
    const mandate = await mandateOf();
    const failed = await checkThrough((headers) => {
      if (!headers.has('authorization')) headers.set('authorization', `Bearer ${mandate}`);
    });
    expect(failed).toEqual(['missing mandate']);
  });

  it('turns red where something in front corrects the resource, and where answers lose their evidence', async () => {
    const corrected = await checkThrough((headers) => headers.set('x-caracal-resource', BILLING));
    expect(corrected).toEqual(['wrong resource']);
    const unnamed = await checkThrough(
      () => {},
      (status, headers) => [status, headers.filter(([name]) => name !== 'x-caracal-request-id')],
    );
    expect(unnamed).toHaveLength(5);
  });
});

describe('caracal keys rotate', () => {
  it('publishes another key, and mandates of the one before stay good', async () => {
    const before = await mandateOf();
    const ran = await world.caracal(['keys', 'rotate', '--json']);
    expectDone(ran);
    expect(ran.objects()[0].keys).toBeGreaterThan(1);
    expect(await world.call(before)).toMatchObject({ status: 200 });
    expect(await world.call(await mandateOf())).toMatchObject({ status: 200 });
    expectFault(
      await world.caracal(['keys', 'rotate', '--config', await stopped()]),
      1,
      'the token service is not running',
    );
  });
});

describe('the admin token', () => {
  it('is asked for: another one is refused, and nothing is printed of it', async () => {
    const env = { ...SECRETS, ADMIN_TOKEN: 'another-token-000000' };
    for (const args of [
      ['revoke', '--jti', 'x'],
      ['keys', 'rotate'],
      ['explain', 'GET', '/'],
    ]) {
      const ran = await world.caracal(args, { env });
      expectFault(ran, 1, 'the admin endpoint refuses the token');
      expect(ran.err).not.toContain('another-token');
    }
  });
});
