import { createPrivateKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';

const ISSUER = 'https://issuer.bench.test';
const RESOURCE = 'resource://invoices';
const KID = 'bench';

/** What a mandate is asked for with, where the token service is in the process that is measured. */
export const MINT_FORM = {
  grant_type: 'client_credentials',
  client_id: 'bench-agent',
  client_secret: 'bench-agent-secret-of-24',
  resource: RESOURCE,
  scope: 'invoices:read',
};

/** The one request every target gets, with a mandate the gateway accepts, and what the gateway must know for that. */
export function benchInput() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: KID, alg: 'ES256', use: 'sig' };
  const mint = minter(privateKey);
  const headers = {
    Authorization: `Bearer ${mint()}`,
    'X-Caracal-Resource': RESOURCE,
    Accept: 'application/json',
    'User-Agent': 'bench-agent/1.0',
  };
  return { path: '/v1/invoices/42?expand=lines', headers, mint, gateway: { issuer: ISSUER, jwk, resource: RESOURCE } };
}

/** The signature of nobody. */
export const FORGED_SIGNATURE = Buffer.alloc(64, 7).toString('base64url');

/** A mandate the gateway cannot verify: well formed, known key. */
export function forged(mandate) {
  const [header, claims] = mandate.split('.');
  return `${header}.${claims}.${FORGED_SIGNATURE}`;
}

/** Writes `count` mandates that nobody has seen before, one a line. */
export function writeMandates(file, mint, count) {
  writeFileSync(file, Array.from({ length: count }, mint).join('\n'));
}

// Signed with node:crypto and not with a library's promises: some scenarios need a hundred thousand.
function minter(privateKey) {
  const key = createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const header = encode({ alg: 'ES256', typ: 'at+jwt', kid: KID });
  const now = Math.floor(Date.now() / 1000);
  const session = randomUUID();
  const claims = {
    iss: ISSUER,
    sub: 'bench-agent',
    aud: ISSUER,
    iat: now,
    exp: now + 7200,
    zone_id: 'default',
    client_id: 'bench-agent',
    use: 'gateway',
    sid: session,
    root_sid: session,
    sub_type: 'application',
    scope: 'invoices:read invoices:write',
    target: [RESOURCE],
  };
  return () => {
    const signed = `${header}.${encode({ ...claims, jti: randomUUID() })}`;
    return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Options of `createGateway` but for the audit: one resource with three operations and one key to attach; others beside it. */
export function gatewayOptions({ apiKey, Secret }, { issuer, jwk, resource, upstreamUrl, otherResources = 0 }) {
  const provider = apiKey({
    id: 'provider://invoices',
    headerName: 'X-Api-Key',
    secret: new Secret('bench-upstream-key'),
    origins: [upstreamUrl],
  });
  const definition = (identifier) => ({
    identifier,
    upstreamUrl,
    provider,
    allowPrivateNetwork: true,
    maxBodyBytes: 'unlimited',
    scopes: ['invoices:read', 'invoices:write'],
    operations: [
      { method: 'GET', path: '/v1/invoices/{id}', scopes: ['invoices:read'] },
      { method: 'POST', path: '/v1/invoices', scopes: ['invoices:write'] },
      { method: 'GET', path: '/v1/files/{kind}', scopes: ['invoices:read'] },
    ],
  });
  const others = Array.from({ length: otherResources }, (_, index) => definition(`resource://other-${index}`));
  return { issuers: [{ issuer, keys: [jwk] }], resources: [definition(resource), ...others] };
}
