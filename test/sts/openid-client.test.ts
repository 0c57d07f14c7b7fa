import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RESOURCE } from '../gateway/fake-world.js';
import { AGENT_SECRET, type ServedTokenService, serveTokenService } from './served-token-service.js';

let served: ServedTokenService;
beforeAll(async () => {
  served = await serveTokenService();
});
afterAll(() => served.close());

const discover = (id: string, authentication: client.ClientAuth) =>
  client.discovery(new URL(served.issuer), id, undefined, authentication, {
    algorithm: 'oauth2',
    // Loopback only.
    execute: [client.allowInsecureRequests],
  });

describe('the token service, to openid-client', () => {
  it.each([
    ['client_secret_basic', 'agent', () => client.ClientSecretBasic(AGENT_SECRET)],
    ['client_secret_post', 'agent', () => client.ClientSecretPost(AGENT_SECRET)],
    ['private_key_jwt', 'signer', () => client.PrivateKeyJwt({ key: served.signerKey, kid: 'signer-1' })],
  ])('grants client credentials, exchanges, introspects and revokes with %s', async (_name, id, authentication) => {
    const configuration = await discover(id, authentication());
    const session = await client.clientCredentialsGrant(configuration, { ttl_seconds: '3600' });
    expect(session.expires_in).toBe(3600);
    const mandate = await client.genericGrantRequest(configuration, 'urn:ietf:params:oauth:grant-type:token-exchange', {
      subject_token: session.access_token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      resource: RESOURCE,
      scope: 'billing:read',
    });
    expect(mandate.scope).toBe('billing:read');
    const introspected = await client.tokenIntrospection(configuration, mandate.access_token);
    expect(introspected).toMatchObject({ active: true, client_id: id });
    await client.tokenRevocation(configuration, mandate.access_token);
    expect(await client.tokenIntrospection(configuration, mandate.access_token)).toEqual({ active: false });
    expect(await client.tokenIntrospection(configuration, session.access_token)).toMatchObject({ active: true });
  });
});
