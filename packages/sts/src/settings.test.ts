import { Secret } from '@caracal/core';
import { exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import type { ApplicationOptions } from './application.js';
import {
  KEY_OVERLAP_SECONDS,
  TOKEN_SERVICE_DEFAULTS,
  type TokenServiceOptions,
  tokenServiceSettings,
} from './settings.js';

const agent: ApplicationOptions = {
  id: 'agent',
  secret: new Secret('secret-canary'),
  grants: [{ resource: 'r:a', scopes: ['read'] }],
};
const options = (changes: object = {}): TokenServiceOptions => ({
  issuer: 'https://tokens.example',
  resources: [{ identifier: 'r:a', scopes: ['read'] }],
  applications: [agent],
  ...changes,
});
const mistake = (changes: object) => {
  try {
    tokenServiceSettings(options(changes));
    return undefined;
  } catch (cause) {
    expect(cause).toBeInstanceOf(TypeError);
    return (cause as Error).message;
  }
};
const application = (changes: object) => mistake({ applications: [{ ...agent, ...changes }] });

describe('tokenServiceSettings', () => {
  it('fills in what is documented', () => {
    expect(tokenServiceSettings(options())).toMatchObject(TOKEN_SERVICE_DEFAULTS);
    expect(KEY_OVERLAP_SECONDS).toBe(3_660);
  });

  it('refuses what it does not know, by name', () => {
    expect(mistake({ isuer: 'x' })).toContain('isuer');
    expect(mistake({ audit: { sinks: 1 } })).toContain('sinks');
    expect(application({ secrets: 1 })).toContain('secrets');
    expect(application({ grants: [{ resource: 'r:a', scope: 'read' }] })).toContain('scope');
  });

  it('refuses values out of range', () => {
    expect(mistake({ zone: 'a b' })).toContain('zone');
    expect(mistake({ algorithm: 'HS256' })).toContain('algorithm');
    expect(mistake({ audit: { durability: 'none' } })).toContain('durability');
    expect(mistake({ maxStalenessMs: 0 })).toContain('maxStalenessMs');
    expect(mistake({ applications: [] })).toContain('applications is empty');
  });

  it('refuses resources and grants that hang in the air', () => {
    expect(mistake({ resources: [{ identifier: 'no uri' }] })).toContain('resources[0].identifier');
    expect(mistake({ resources: [{ identifier: 'r:a' }, { identifier: 'r:a' }] })).toContain('listed twice');
    expect(application({ grants: [{ resource: 'r:b', scopes: [] }] })).toContain('not among resources');
    expect(application({ grants: [{ resource: 'r:a', scopes: ['write'] }] })).toContain('no scope write');
    expect(application({ grants: [...agent.grants, ...agent.grants] })).toContain('granted twice');
    const gatewayed = [{ identifier: 'r:a', scopes: ['read'], gatewayApplication: 'nobody' }];
    expect(mistake({ resources: gatewayed })).toContain('gatewayApplication');
  });

  it('refuses applications that are one name to people', () => {
    expect(mistake({ applications: [agent, { ...agent, id: 'AGENT' }] })).toContain('listed twice');
    expect(application({ id: 'a b' })).toContain('.id');
  });

  it('wants exactly one way to authenticate, and never quotes a secret', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const publicKeys = [{ ...(await exportJWK(publicKey)), kid: 'k' }];
    expect(application({ publicKeys })).toContain('either secret or publicKeys');
    expect(application({ secret: undefined })).toContain('either secret or publicKeys');
    expect(application({ secret: undefined, publicKeys })).toBeUndefined();
    for (const keys of [[], [{ ...publicKeys[0], kid: undefined }], [{ ...(await exportJWK(privateKey)), kid: 'k' }]]) {
      expect(application({ secret: undefined, publicKeys: keys })).toContain('publicKeys');
    }
    for (const secret of ['secret-canary', { hash: 'secret-canary' }, { env: 'NAME' }]) {
      const message = application({ secret });
      expect(message).toMatch(/secret/i);
      expect(message).not.toContain('canary');
    }
  });
});
