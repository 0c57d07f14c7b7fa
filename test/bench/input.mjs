import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const ISSUER = 'https://issuer.bench.test';
const RESOURCE = 'resource://invoices';
const PATH = '/v1/invoices/42?expand=lines';

/** The one request every target gets, with a mandate the gateway accepts, and what the gateway must know for that. */
export async function benchInput() {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256', use: 'sig' };
  const session = randomUUID();
  const mandate = await new SignJWT({
    zone_id: 'default',
    client_id: 'bench-agent',
    use: 'gateway',
    sid: session,
    root_sid: session,
    sub_type: 'application',
    scope: 'invoices:read',
    target: [RESOURCE],
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'bench' })
    .setIssuer(ISSUER)
    .setSubject('bench-agent')
    .setAudience(ISSUER)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime('2h')
    .sign(privateKey);
  const headers = {
    Authorization: `Bearer ${mandate}`,
    'X-Caracal-Resource': RESOURCE,
    Accept: 'application/json',
    'User-Agent': 'bench-agent/1.0',
  };
  return { path: PATH, headers, gateway: { issuer: ISSUER, jwk, resource: RESOURCE } };
}

/** Options of `createGateway` but for the audit: one resource, one operation, one key to attach. */
export function gatewayOptions({ apiKey, Secret }, { issuer, jwk, resource, upstreamUrl }) {
  return {
    issuers: [{ issuer, keys: [jwk] }],
    resources: [
      {
        identifier: resource,
        upstreamUrl,
        allowPrivateNetwork: true,
        scopes: ['invoices:read'],
        operations: [{ method: 'GET', path: '/v1/invoices/{id}', scopes: ['invoices:read'] }],
        provider: apiKey({
          id: 'provider://invoices',
          headerName: 'X-Api-Key',
          secret: new Secret('bench-upstream-key'),
          origins: [upstreamUrl],
        }),
      },
    ],
  };
}
