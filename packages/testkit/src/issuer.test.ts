import { createLocalJWKSet, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { createTestIssuer, type TestAlgorithm } from './issuer.js';

describe('createTestIssuer', () => {
  for (const algorithm of ['ES256', 'EdDSA', 'RS256', 'PS256'] satisfies TestAlgorithm[]) {
    it(`mints ${algorithm} mandates that a verifier accepts`, async () => {
      const issuer = await createTestIssuer({ algorithm });
      const mandate = await issuer.mint({ scope: 'a b' });
      const verified = await jwtVerify(mandate, createLocalJWKSet(issuer.jwks()), { audience: issuer.issuer });
      expect(verified.payload).toMatchObject({ iss: issuer.issuer, use: 'gateway', scope: 'a b' });
      expect(verified.protectedHeader).toEqual({ alg: algorithm, kid: 'test-key', typ: 'at+jwt' });
    });
  }

  it('gives every mandate an identity of its own', async () => {
    const issuer = await createTestIssuer();
    const [first, second] = [issuer.claims(), issuer.claims()];
    for (const claim of ['jti', 'sid', 'root_sid']) expect(first[claim]).not.toBe(second[claim]);
  });

  it('leaves out a claim that is overridden with undefined', async () => {
    const issuer = await createTestIssuer();
    const [, payload = ''] = (await issuer.mint({ sub: undefined })).split('.');
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).not.toHaveProperty('sub');
  });

  it('shows no private key', async () => {
    const issuer = await createTestIssuer();
    expect(issuer.jwks().keys[0]).not.toHaveProperty('d');
  });
});
