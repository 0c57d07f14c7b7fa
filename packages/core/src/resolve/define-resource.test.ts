import { describe, expect, it } from 'vitest';
import type { Provider } from '../attach/provider.js';
import { DEFAULT_LIMITS, DEFAULT_ZONE, defineResource, RESOURCE_DEFAULTS } from './define-resource.js';
import type { ResourceDefinition } from './resource.js';

function provider(overrides: Partial<Provider> = {}): Provider {
  return {
    id: 'provider://test',
    kind: 'none',
    origins: undefined,
    headerNames: [],
    renewable: false,
    attach: () => ({ headers: [], query: undefined, secrets: [], connection: undefined }),
    renew: async (_request, refused) => refused,
    ...overrides,
  };
}

function definition(overrides: object = {}): ResourceDefinition {
  return {
    identifier: 'resource://billing-api',
    scopes: ['billing:read', 'billing:submit'],
    upstreamUrl: 'https://billing.example/base',
    provider: provider(),
    ...overrides,
  } as ResourceDefinition;
}

function mistake(overrides: object): string {
  try {
    defineResource(definition(overrides));
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as TypeError).message;
  }
  return 'no mistake';
}

describe('defineResource', () => {
  it('fills in the documented defaults', () => {
    const resource = defineResource({ identifier: 'resource://a', provider: provider() });
    expect(resource).toMatchObject({
      identifier: 'resource://a',
      zoneId: 'default',
      scopes: [],
      upstream: undefined,
      operationEnforcement: 'any',
      mandateReuse: 'until_expiry',
      require: { session: false, delegation: false, maxHops: undefined, chainContains: [] },
      rateLimit: undefined,
      passCookies: false,
      redirects: 'pass',
      forwarded: 'none',
      websocket: false,
      onExpiry: 'cut',
      mount: undefined,
      tls: undefined,
      check: undefined,
    });
    expect(resource.limits).toEqual({
      connectTimeoutMs: 5_000,
      headersTimeoutMs: 300_000,
      idleTimeoutMs: 60_000,
      streamIdleTimeoutMs: 900_000,
      maxBodyBytes: 104_857_600,
    });
    expect(resource.limits).toEqual(DEFAULT_LIMITS);
    expect(DEFAULT_ZONE).toBe('default');
    expect(RESOURCE_DEFAULTS).toMatchObject({ allowPrivateNetwork: false, allowPlaintext: false });
    expect(resource.addressPolicy.allows('127.0.0.1')).toBe(false);
  });

  it('takes every member', () => {
    const resource = defineResource(
      definition({
        zone: 'acme',
        gatewayApplication: 'gateway',
        operations: [{ method: 'GET', path: '/v1/invoices/{id}', scopes: ['billing:read'], name: 'read' }],
        mandateReuse: 'single_use',
        require: { session: true, delegation: true, maxHops: 0, chainContains: ['planner'] },
        rateLimit: { requests: 10, windowSeconds: 60 },
        allowPrivateNetwork: ['127.0.0.0/8'],
        passCookies: true,
        redirects: 'block',
        forwarded: 'forwarded',
        websocket: true,
        onExpiry: 'finish',
        mount: { host: 'Billing.Gateway', pathPrefix: '/billing/' },
        tls: { ca: 'PEM', serverName: 'billing' },
        check: { method: 'GET', path: '/health' },
        connectTimeoutMs: 1,
        maxBodyBytes: 'unlimited',
      }),
    );
    expect(resource).toMatchObject({
      zoneId: 'acme',
      upstream: { origin: 'https://billing.example', host: 'billing.example', basePath: '/base' },
      operationEnforcement: 'enforced',
      require: { session: true, delegation: true, maxHops: 0, chainContains: ['planner'] },
      mount: { host: 'billing.gateway', pathPrefix: '/billing' },
      tls: { ca: 'PEM', serverName: 'billing' },
      limits: { connectTimeoutMs: 1, maxBodyBytes: Number.POSITIVE_INFINITY },
    });
    expect(resource.addressPolicy.allows('127.0.0.1')).toBe(true);
    expect(resource.operations.match('GET', '/v1/invoices/1')?.name).toBe('read');
  });

  it('is frozen, and keeps nothing of the definition that could still change', () => {
    const scopes = ['a'];
    const resource = defineResource(definition({ scopes, require: { chainContains: ['x'] }, mount: { host: 'a' } }));
    scopes.push('b');
    expect(resource.scopes).toEqual(['a']);
    const parts = [resource, resource.scopes, resource.upstream, resource.require, resource.require.chainContains];
    for (const part of [...parts, resource.mount, resource.limits, resource.operations]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('takes undefined for absent', () => {
    const resource = defineResource(
      definition({ zone: undefined, mount: undefined, redirects: undefined, tls: undefined }),
    );
    expect(resource).toMatchObject({ zoneId: 'default', redirects: 'pass', mount: undefined, tls: undefined });
  });

  it('lets enforcement be said, whatever is declared', () => {
    const operations = [{ method: 'GET', path: '/' }];
    expect(defineResource(definition({ operations, operationEnforcement: 'any' })).operationEnforcement).toBe('any');
    expect(defineResource(definition({ operationEnforcement: 'enforced' })).operationEnforcement).toBe('enforced');
  });

  it.each([
    [{ upstreamURL: 'x' }, 'upstreamURL: unknown key'],
    [{ require: { sessions: true } }, 'require.sessions: unknown key'],
    [{ operations: [{ method: 'GET', path: '/', scope: 'x' }] }, 'operations.0.scope: unknown key'],
    [{ constructor: 1 }, 'constructor: unknown key'],
    [JSON.parse('{"mount":{"host":"a","__proto__":{}}}'), 'mount.__proto__: unknown key'],
    [{ operations: [{ method: 'GET' }] }, 'operations.0.path: is required'],
  ])('names the path of a wrong key in %j', (overrides, message) => {
    expect(mistake(overrides)).toBe(
      message.endsWith('unknown key')
        ? `Resource "resource://billing-api": ${message}; remove it, or see the reference for its spelling`
        : `Resource "resource://billing-api": ${message}`,
    );
  });

  it('refuses __proto__ at the top, and a definition that is none', () => {
    const parsed = JSON.parse('{"identifier":"resource://a","__proto__":{"allowPlaintext":true}}');
    parsed.provider = provider();
    expect(() => defineResource(parsed)).toThrow('__proto__: unknown key');
    expect(() => defineResource(undefined as unknown as ResourceDefinition)).toThrow('Resource without identifier: ');
    expect(() => defineResource({} as ResourceDefinition)).toThrow('identifier: is required');
  });

  it.each([
    { identifier: 'billing' },
    { identifier: 'a:b,c' },
    { zone: 'a b' },
    { zone: '' },
    { scopes: ['a b'] },
    { scopes: ['a', 'a'] },
    { scopes: 'a' },
    { gatewayApplication: 'ä' },
    { provider: undefined },
    { provider: { id: 'x', kind: 'none' } },
    { provider: provider({ kind: 'other' as 'none' }) },
    { operationEnforcement: 'maybe' },
    { mandateReuse: 'never' },
    { require: { maxHops: -1 } },
    { require: { maxHops: 1.5 } },
    { require: { chainContains: [''] } },
    { rateLimit: { requests: 0, windowSeconds: 1 } },
    { rateLimit: { requests: 1 } },
    { allowPrivateNetwork: ['not a network'] },
    { allowPrivateNetwork: '10.0.0.0/8' },
    { allowPlaintext: 'yes' },
    { redirects: 'follow' },
    { forwarded: true },
    { onExpiry: 'ignore' },
    { mount: {} },
    { mount: { host: 'a/b' } },
    { mount: { pathPrefix: 'a' } },
    { mount: { pathPrefix: '/a/../b' } },
    { mount: { pathPrefix: '/a//b' } },
    { mount: { pathPrefix: '/a?b' } },
    { tls: { cert: 'PEM' } },
    { tls: { rejectUnauthorized: false } },
    { upstreamUrl: 'http://127.0.0.1', tls: { ca: 'PEM' } },
    { check: { method: 'GET', path: 'health' } },
    { connectTimeoutMs: 0 },
    { idleTimeoutMs: 2 ** 31 },
    { headersTimeoutMs: Number.POSITIVE_INFINITY },
    { maxBodyBytes: -1 },
    { maxBodyBytes: '100MB' },
    { operations: [{ method: 'GET', path: '/', scopes: ['unknown'] }] },
    {
      operations: [
        { method: 'GET', path: '/{a}' },
        { method: 'GET', path: '/{b}' },
      ],
    },
  ])('refuses %j', (overrides) => {
    expect(mistake(overrides)).toMatch(/^Resource /);
    expect(mistake(overrides)).toContain(Object.keys(overrides)[0]);
  });
});

describe('upstreamUrl', () => {
  it.each([
    ['https://Billing.Example', { origin: 'https://billing.example', host: 'billing.example', basePath: '' }],
    ['https://billing.example/', { origin: 'https://billing.example', host: 'billing.example', basePath: '' }],
    ['https://billing.example:443/v1', { origin: 'https://billing.example', host: 'billing.example', basePath: '/v1' }],
    [
      'http://localhost:8080/a%2fb/~c/',
      { origin: 'http://localhost:8080', host: 'localhost:8080', basePath: '/a%2fb/~c' },
    ],
    ['http://[::1]:8080', { origin: 'http://[::1]:8080', host: '[::1]:8080', basePath: '' }],
  ])('reads %s', (upstreamUrl, upstream) => {
    expect(defineResource(definition({ upstreamUrl })).upstream).toEqual(upstream);
  });

  it.each([
    '',
    'billing.example',
    'ftp://billing.example',
    'https://',
    'https:///a',
    'https:/billing.example',
    'https://user:hunter2@billing.example',
    'https://@billing.example',
    'https://billing.example?x',
    'https://billing.example/a?',
    'https://billing.example/a#',
    'https://billing.example/a/../b',
    'https://billing.example/a%2f..',
    'https://billing.example/a//',
    'https://billing.example\\a',
    'https://billing.example/\\a',
    ' https://billing.example',
    'https://billing.example/\ta',
    'https://bücher.example',
    'https://billing.example:99999',
    'https://a b.example',
    `https://billing.example/${'a'.repeat(2048)}`,
  ])('refuses %j without quoting it', (upstreamUrl) => {
    const message = mistake({ upstreamUrl });
    expect(message).toContain('upstreamUrl: ');
    expect(message).not.toContain('hunter2');
  });
});

describe('where a credential may go', () => {
  const apiKey = (origins?: readonly string[]) => provider({ kind: 'api_key', origins });

  it('needs origins unless the upstream is on this machine', () => {
    expect(mistake({ provider: apiKey() })).toContain('add origins: ["https://billing.example"]');
    for (const upstreamUrl of ['http://127.0.0.1:1', 'http://127.9.9.9', 'http://[::1]', 'http://localhost']) {
      expect(mistake({ upstreamUrl, provider: apiKey() })).toBe('no mistake');
    }
    for (const upstreamUrl of [
      'https://128.0.0.1',
      'https://localhost.example',
      'https://127.0.0.1.example',
      'https://a.localhost', // which many resolvers ask the network for
    ]) {
      expect(mistake({ upstreamUrl, provider: apiKey() })).toContain('has a credential but no origins');
    }
    expect(mistake({ upstreamUrl: undefined, provider: apiKey() })).toBe('no mistake');
  });

  it('holds the upstream to the origins, however these are spelled', () => {
    expect(mistake({ provider: apiKey(['https://other.example', 'https://BILLING.example:443/']) })).toBe('no mistake');
    for (const origin of ['http://billing.example', 'https://billing.example:8443', 'https://a.billing.example']) {
      expect(mistake({ provider: apiKey([origin]) })).toContain('is not among the origins of provider provider://test');
    }
    expect(mistake({ provider: apiKey([]) })).toContain('is not among the origins');
    expect(mistake({ upstreamUrl: 'http://127.0.0.1', provider: apiKey(['https://a.example']) })).toContain(
      'not among',
    );
    expect(mistake({ provider: provider({ origins: ['https://a.example'] }) })).toContain('not among');
  });

  it.each([
    'billing.example',
    '*',
    'https://*.example/x',
    'https://billing.example/v1',
    'https://u@billing.example',
    'ws://billing.example',
    'https://billing.example?',
  ])('refuses %s as an origin', (origin) => {
    expect(mistake({ provider: apiKey([origin]) })).toContain('scheme, host and port');
  });

  it('sends no credential, and no mandate, in plain text over the network', () => {
    const upstreamUrl = 'http://billing.example';
    const origins = [upstreamUrl];
    expect(mistake({ upstreamUrl, provider: apiKey(origins) })).toContain('plain text');
    expect(mistake({ upstreamUrl, provider: provider({ kind: 'caracal_mandate' }) })).toContain('plain text');
    expect(mistake({ upstreamUrl, provider: apiKey(origins), allowPlaintext: true })).toBe('no mistake');
    expect(mistake({ upstreamUrl, provider: provider() })).toBe('no mistake');
    expect(mistake({ provider: provider({ kind: 'caracal_mandate' }) })).toBe('no mistake');
  });
});
