import { describe, expect, it } from 'vitest';
import { endpointsOf } from './endpoints.js';

describe('endpointsOf', () => {
  it('puts the path of an issuer before each endpoint and behind the name of the metadata', () => {
    expect(endpointsOf('https://host.example').paths).toEqual({
      token: '/oauth/2/token',
      revocation: '/oauth/2/revoke',
      introspection: '/oauth/2/introspect',
      jwks: '/.well-known/jwks.json',
      metadata: '/.well-known/oauth-authorization-server',
    });
    const { paths, token, jwks } = endpointsOf('https://host.example/tenant/a');
    expect(paths.metadata).toBe('/.well-known/oauth-authorization-server/tenant/a');
    expect(token).toBe('https://host.example/tenant/a/oauth/2/token');
    expect(jwks).toBe('https://host.example/tenant/a/.well-known/jwks.json');
  });

  it('takes http on loopback alone', () => {
    for (const host of ['127.0.0.1:8080', 'localhost', '[::1]:1'])
      expect(endpointsOf(`http://${host}`).issuer).toBeDefined();
    for (const host of ['host.example', '127.0.0.1.example', '10.0.0.1']) {
      expect(() => endpointsOf(`http://${host}`)).toThrow(TypeError);
    }
  });

  it('refuses an issuer that readers would spell in two ways', () => {
    for (const issuer of [
      'https://host.example/',
      'https://host.example/a/',
      'https://HOST.example',
      'https://host.example:443',
      'https://host.example?x',
      'https://host.example#x',
      'https://user@host.example',
      'https://host.example/a/../b',
      'ftp://host.example',
      'host.example',
      '',
    ]) {
      expect(() => endpointsOf(issuer)).toThrow(/issuer is a URL/);
    }
  });
});
