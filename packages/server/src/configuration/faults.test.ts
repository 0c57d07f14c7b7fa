import { describe, expect, it } from 'vitest';
import { configurationProblems } from './parse-configuration.js';

type Loose = Record<string, never> & { [key: string]: Loose };

/** A configuration that is in order, to be spoilt in one place. */
function good(): Loose {
  return {
    gateway: { listen: 8081 },
    tokenService: {
      listen: 8080,
      applications: [{ id: 'agent', secret: { env: 'S' }, grants: [{ resource: 'resource://a', scopes: ['r'] }] }],
    },
    issuers: [{ issuer: 'https://id.example', jwksUri: 'https://id.example/jwks' }],
    sealing: { keys: [{ id: 'k1', key: { env: 'K' } }] },
    providers: [
      {
        id: 'provider://a',
        kind: 'api_key',
        headerName: 'X-Key',
        secret: { env: 'A' },
        origins: ['https://a.example'],
      },
    ],
    resources: [
      { identifier: 'resource://a', scopes: ['r'], upstreamUrl: 'https://a.example', provider: 'provider://a' },
      { identifier: 'resource://b', scopes: ['r'], upstreamUrl: 'https://b.example' },
    ],
    admin: { listen: 8082, token: { env: 'T' } },
  } as unknown as Loose;
}

function put(configuration: Loose, path: string, value: unknown): void {
  const steps = path.split('.');
  const last = steps.pop()!;
  const holder = steps.reduce<Loose>((member, step) => member[step]!, configuration);
  if (value === undefined) delete holder[last];
  else holder[last] = value as never;
}

const SECRET = 'hunter2-hunter2';

describe('a configuration', () => {
  it('that is in order has no problems', () => {
    expect(configurationProblems(good())).toEqual([]);
  });

  it.each<[string, unknown, string, string]>([
    ['zone', 3, 'zone', 'is a number'],
    ['zone', 'a b', 'zone', 'is no name'],
    ['zonee', 'a', 'zonee', 'is not known'],
    ['connect', { publicUrl: 'http://t.example' }, 'connect.publicUrl', 'is an https URL'],
    ['connect', { signIn: [{ issuer: 'x', clientId: 'c' }] }, 'connect.signIn[0]', 'at is an https URL'],
    [
      'connect',
      { signIn: [{ issuer: 'https://i.example', clientId: 'c', scopes: ['email'] }] },
      'connect.signIn[0]',
      'scopes must include openid',
    ],
    [
      'connect',
      { signIn: [1, 2].map(() => ({ issuer: 'https://i.example', clientId: 'c' })) },
      'connect.signIn[1].issuer',
      'has an entry already',
    ],
    ['gateway', [], 'gateway', 'is a list'],
    ['gateway.listen', '127.0.0.1', 'gateway.listen', 'is no address'],
    ['gateway.listen', ':8081', 'gateway.listen', 'is no address'],
    ['gateway.listen', 8082, 'admin.listen', 'is where gateway listens'],
    ['gateway.drainTimeoutMs', 0, 'gateway.drainTimeoutMs', 'is below 1'],
    ['gateway.drainTimeoutMs', 2 ** 31, 'gateway.drainTimeoutMs', 'more than a timer takes'],
    ['gateway.publicUrl', 'https://g.example/path', 'gateway.publicUrl', 'is no origin'],
    ['gateway.cors', { origins: ['*'] }, 'gateway.cors.origins[0]', 'is no origin'],
    ['gateway.trustedProxies', ['proxy'], 'gateway.trustedProxies[0]', 'is no address'],
    ['gateway.audit', { durability: 'never' }, 'gateway.audit.durability', 'is no durability'],
    ['gateway.audit', { signingKey: SECRET }, 'gateway.audit.signingKey', 'is not where a secret is kept'],
    [
      'gateway.identity',
      { application: 'other', secret: { env: 'X' } },
      'gateway.identity.application',
      'is not among',
    ],
    ['tokenService', undefined, '', ''],
    ['tokenService.listen', '0.0.0.0:8080', 'tokenService.issuer', 'is missing'],
    ['tokenService.issuer', 'http://tokens.example', 'tokenService.issuer', 'neither https nor on loopback'],
    ['tokenService.issuer', 'https://tokens.example/', 'tokenService.issuer', 'is no issuer'],
    ['tokenService.issuer', 'http://127.0.0.1:9', 'tokenService.issuer', 'names another port'],
    ['tokenService.issuer', 'https://id.example', 'issuers[0].issuer', 'is the token service of this file'],
    ['tokenService.applications', [], 'tokenService.applications', 'is empty'],
    [
      'tokenService.applications.0.secret',
      SECRET,
      'tokenService.applications[0].secret',
      'is not where a secret is kept',
    ],
    ['tokenService.applications.0.secret', undefined, 'tokenService.applications[0]', 'cannot prove who it is'],
    ['tokenService.applications.0.publicKeys', [{}], 'tokenService.applications[0]', 'has two proofs'],
    [
      'tokenService.applications.0.grants.0.scopes',
      ['w'],
      'tokenService.applications[0].grants[0].scopes[0]',
      'is not among the scopes',
    ],
    ['issuers.0.jwksUri', 'http://id.example/jwks', 'issuers[0].jwksUri', 'is not in order'],
    ['issuers.0.jwksUri', undefined, 'issuers[0]', 'is not in order'],
    ['issuers.0.algorithms', ['HS256'], 'issuers[0].algorithms[0]', 'is no algorithm'],
    ['sealing.keys', [], 'sealing.keys', 'is empty'],
    ['sealing.keys.0.key', { sealed: 'v1.a.b.c' }, 'sealing.keys[0].key', 'is not where a secret is kept'],
    ['providers.0.id', 'provider a', 'providers[0].id', 'is no id'],
    ['providers.0.headerName', 'Content-Length', 'providers[0]', 'cannot carry a credential'],
    ['providers.0.queryParam', 'key', 'providers[0]', 'give either headerName or queryParam'],
    ['providers.0.secret', { env: 'A', file: 'b' }, 'providers[0].secret', 'is not where a secret is kept'],
    ['providers.0.secret', { sealed: SECRET }, 'providers[0].secret.sealed', 'is not what caracal seal prints'],
    [
      'providers.0',
      { id: 'provider://a', kind: 'oauth2_client_credentials', clientId: 'c' },
      'providers[0]',
      'give issuer or tokenEndpoint',
    ],
    [
      'providers.0',
      { id: 'provider://a', kind: 'oauth2_client_credentials', clientId: 'c', clientSecret: SECRET },
      'providers[0].clientSecret',
      'is not where a secret is kept',
    ],
    ['providers.0.kind', 'none', 'providers[0].headerName', 'is not known'],
    ['providers.0.origins', ['https://c.example'], 'resources[0].upstreamUrl', 'is not among the origins'],
    ['resources.0.upstreamUrl', 'http://a.example', 'resources[0].upstreamUrl', 'is not among the origins'],
    ['resources.0.identifier', 'billing', 'resources[0].identifier', 'is an absolute URI'],
    ['resources.1.identifier', 'RESOURCE://A', 'resources[1].identifier', 'differs from another one in case alone'],
    [
      'resources.1.upstreamUrl',
      `https://user:${SECRET}@b.example`,
      'resources[1].upstreamUrl',
      'user name or password',
    ],
    [
      'resources.1.operations',
      [
        { method: 'GET', path: '/{a}' },
        { method: 'GET', path: '/{b}' },
      ],
      'resources[1].operations[1]',
      'are equal',
    ],
    ['resources.1.gatewayApplication', 'agnt', 'resources[1].gatewayApplication', 'is not among'],
    ['resources.1.tls', { ca: SECRET }, 'resources[1].tls.ca', 'is not where a secret is kept'],
    ['resources.1.maxBodyBytes', 'infinite', 'resources[1].maxBodyBytes', ''],
    ['stores', { redis: { url: 'redis://:hunter2-hunter2@h' } }, 'stores.redis.url', 'is not where a secret is kept'],
    ['stores', { redis: { url: { env: 'R' }, prefix: '' } }, 'stores.redis.prefix', 'is no prefix'],
    ['stores', { postgres: { url: SECRET } }, 'stores.postgres.url', 'is not where a secret is kept'],
    ['stores', { postgres: { url: { env: 'P' }, poolSize: 101 } }, 'stores.postgres.poolSize', 'is more than 100'],
    ['stores', { postgres: { url: { env: 'P' }, tls: { ca: SECRET } } }, 'stores.postgres.tls.ca', 'is not where'],
    ['admin.listen', '10.0.0.1:1', 'admin.listen', 'would send the admin token over the network'],
    ['admin.token', SECRET, 'admin.token', 'is not where a secret is kept'],
  ])('with %s %j is told of %s', (path, value, at, fault) => {
    const configuration = good();
    put(configuration, path, value);
    const problems = configurationProblems(configuration);
    if (at === '') return expect(problems).toEqual([]); // nobody needs a token service
    const told = problems.find((problem) => problem.path === at);
    expect(problems.map((problem) => problem.path)).toContain(at);
    expect(`${told?.fault}; ${told?.remedy}`).toContain(fault);
    expect(JSON.stringify(problems)).not.toContain(SECRET);
  });

  it('is told of mounts and cookies that two resources share', () => {
    const mounts = good();
    for (const index of ['0', '1']) put(mounts, `resources.${index}.mount`, { pathPrefix: '/a' });
    expect(configurationProblems(mounts)).toMatchObject([
      { path: 'resources', fault: expect.stringContaining('same mount') },
    ]);
  });

  it('names somebody who may sign mandates', () => {
    expect(configurationProblems({ resources: [] })).toMatchObject([
      { path: '', fault: expect.stringContaining('nobody') },
    ]);
  });

  it.each([null, [], 'text', 3, undefined])('is an object, not %j', (input) => {
    expect(configurationProblems(input)).toHaveLength(1);
  });
});
