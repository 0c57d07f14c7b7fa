import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RESOURCE } from '../gateway/fake-world.js';
import {
  AGENT_SECRET,
  GATEWAY_SECRET,
  OTHER_RESOURCE,
  type ServedTokenService,
  serveTokenService,
} from './served-token-service.js';

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
// Loopback only.
const insecure = { [oauth.allowInsecureRequests]: true } as const;

let served: ServedTokenService;
let server: oauth.AuthorizationServer;
const agent: oauth.Client = { client_id: 'agent' };

beforeAll(async () => {
  served = await serveTokenService();
  const issuer = new URL(served.issuer);
  const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
  server = await oauth.processDiscoveryResponse(issuer, discovered);
});
afterAll(() => served.close());

async function grant(authentication: oauth.ClientAuth, members: [string, string][], client = agent) {
  const parameters = new URLSearchParams(members);
  const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, parameters, insecure);
  return oauth.processClientCredentialsResponse(server, client, response);
}

async function exchange(authentication: oauth.ClientAuth, members: [string, string][], client = agent) {
  const parameters = new URLSearchParams([['subject_token_type', ACCESS_TOKEN], ...members]);
  const response = await oauth.genericTokenEndpointRequest(
    server,
    client,
    authentication,
    TOKEN_EXCHANGE,
    parameters,
    insecure,
  );
  return oauth.processGenericTokenEndpointResponse(server, client, response);
}

describe('the token service, to oauth4webapi', () => {
  it.each([
    ['client_secret_basic', oauth.ClientSecretBasic],
    ['client_secret_post', oauth.ClientSecretPost],
  ])('issues to an application that authenticates with %s', async (_name, method) => {
    const issued = await grant(method(AGENT_SECRET), [['resource', RESOURCE]]);
    expect(issued).toMatchObject({ token_type: 'bearer', expires_in: 900, scope: 'billing:read billing:submit' });
  });

  it('issues to an application that signs its assertions, and takes each once', async () => {
    const signer = { client_id: 'signer' };
    let sent = '';
    const keep = oauth.PrivateKeyJwt({ key: served.signerKey, kid: 'signer-1' });
    const method: oauth.ClientAuth = async (as, client, body, headers) => {
      await keep(as, client, body, headers);
      sent = body.get('client_assertion') ?? '';
    };
    expect(await grant(method, [['resource', RESOURCE]], signer)).toMatchObject({ scope: 'billing:read' });
    const replayed: oauth.ClientAuth = (_as, _client, body) => {
      body.set('client_assertion', sent);
      body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    };
    // It shows the challenge of a 401 rather than the body.
    await expect(grant(replayed, [], signer)).rejects.toMatchObject({ status: 401 });
  });

  it('exchanges a session for a mandate, and that for one with the resource as its audience', async () => {
    const session = await grant(oauth.ClientSecretBasic(AGENT_SECRET), []);
    const mandate = await exchange(oauth.ClientSecretPost(AGENT_SECRET), [
      ['subject_token', session.access_token],
      ['resource', RESOURCE],
      ['scope', 'billing:read'],
    ]);
    expect(mandate).toMatchObject({ issued_token_type: ACCESS_TOKEN, scope: 'billing:read' });
    const forResource = await exchange(
      oauth.ClientSecretBasic(GATEWAY_SECRET),
      [
        ['subject_token', mandate.access_token],
        ['resource', RESOURCE],
      ],
      { client_id: 'gateway' },
    );
    const request = new Request('https://upstream.example/', {
      headers: { Authorization: `Bearer ${forResource.access_token}` },
    });
    const claims = await oauth.validateJwtAccessToken(server, request, RESOURCE, insecure);
    expect(claims).toMatchObject({ sub: 'agent', client_id: 'agent', use: 'resource', scope: 'billing:read' });
  });

  it('says what it will not issue in the codes of OAuth', async () => {
    const right = oauth.ClientSecretBasic(AGENT_SECRET);
    await expect(grant(oauth.ClientSecretBasic('wrong'), [])).rejects.toMatchObject({ status: 401 });
    await expect(grant(right, [['resource', 'resource://unknown']])).rejects.toMatchObject({ error: 'invalid_target' });
    const disjoint: [string, string][] = [
      ['resource', RESOURCE],
      ['resource', OTHER_RESOURCE],
      ['scope', 'billing:submit'],
    ];
    await expect(grant(right, disjoint)).rejects.toMatchObject({ error: 'invalid_target', status: 400 });
    await expect(grant(right, [['scope', 'unknown']])).rejects.toMatchObject({ error: 'invalid_scope' });
    await expect(exchange(right, [['subject_token', 'x.y.z']])).rejects.toMatchObject({ error: 'invalid_request' });
  });

  it('revokes a session with all that was issued in it, and introspects', async () => {
    const method = oauth.ClientSecretBasic(AGENT_SECRET);
    const session = await grant(method, []);
    const mandate = await exchange(method, [
      ['subject_token', session.access_token],
      ['resource', RESOURCE],
    ]);
    const introspect = async (authentication = method, client = agent) => {
      const token = mandate.access_token;
      const response = await oauth.introspectionRequest(server, client, authentication, token, insecure);
      return oauth.processIntrospectionResponse(server, client, response);
    };
    expect(await introspect()).toMatchObject({ active: true, client_id: 'agent', use: 'gateway', target: [RESOURCE] });
    const gateway = { client_id: 'gateway' };
    expect(await introspect(oauth.ClientSecretPost(GATEWAY_SECRET), gateway)).toMatchObject({ active: true });
    const signer = oauth.PrivateKeyJwt({ key: served.signerKey, kid: 'signer-1' });
    expect(await introspect(signer, { client_id: 'signer' })).toEqual({ active: false });

    const revoke = (token: string, client = agent, authentication = method) =>
      oauth.revocationRequest(server, client, authentication, token, insecure).then(oauth.processRevocationResponse);
    await expect(revoke(session.access_token, gateway, oauth.ClientSecretPost(GATEWAY_SECRET))).rejects.toMatchObject({
      error: 'unauthorized_client',
    });
    expect(await introspect()).toMatchObject({ active: true });
    await revoke(session.access_token);
    await revoke(session.access_token);
    await revoke('never a token');
    expect(await introspect()).toEqual({ active: false });
    await expect(
      exchange(method, [
        ['subject_token', session.access_token],
        ['resource', RESOURCE],
      ]),
    ).rejects.toMatchObject({ error: 'invalid_request' });
  });
});
