import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, type KeyObject, verify, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Credential,
  generateSealingKey,
  memoryConnectionStore,
  memoryReplayStore,
  type Provider,
} from '@caracal/core';
import { type AuthorizationCodeProvider, connectLinks, createConnectService, type Probeable } from '@caracal/oauth';
import { type GuardedOutbound, guardedOutbound } from '@caracal/transport';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { providerOf, recipe } from './recipe.js';
import { credentialRequest, tokenOf } from './requests.js';
import { startVendor, type Vendor, type VendorAnswer, type VendorRequest } from './vendor.js';

let outbound: GuardedOutbound;
let key: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
const running: Vendor[] = [];

beforeAll(() => {
  outbound = guardedOutbound();
  key = generateKeyPairSync('rsa', { modulusLength: 2048 });
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((vendor) => vendor.close()));
});

afterAll(() => outbound.close());

type Answer = Parameters<typeof startVendor>[0];

async function vendor(answer: Answer): Promise<Vendor> {
  const started = await startVendor(answer);
  running.push(started);
  return started;
}

/** Sends what a gateway would: the caller's headers, and the credential. */
async function call(
  provider: Provider,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const credential = (await provider.attach(credentialRequest(provider))) as Credential;
  const [name = '', value = ''] = credential.headers;
  return fetch(url, { headers: { ...headers, [name]: value } });
}

const refusal = (error: string, description: string): VendorAnswer => ({
  status: 400,
  json: { error, error_description: description },
});

/** The parts of an assertion, if the vendor's key has signed it. */
function opened(assertion: string | null, algorithm: 'RS256' | 'PS256' = 'RS256') {
  const [header = '', payload = '', signature = ''] = (assertion ?? '').split('.');
  const padding = algorithm === 'PS256' ? { padding: 6, saltLength: 32 } : {};
  const isSigned = verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    { key: key.publicKey, ...padding },
    Buffer.from(signature, 'base64url'),
  );
  const part = (text: string) =>
    JSON.parse(Buffer.from(text, 'base64url').toString() || '{}') as Record<string, unknown>;
  return {
    isSigned,
    header: part(header),
    claims: part(payload) as { iss?: string; sub?: string; aud?: string; exp: number; iat: number; scope?: string },
  };
}

describe('recipes with a key of the vendor', () => {
  it.each([
    ['openai', 'https://api.openai.com', { OPENAI_API_KEY: 'sk-proj-1' }, 'authorization', 'Bearer sk-proj-1', {}],
    [
      'anthropic',
      'https://api.anthropic.com',
      { ANTHROPIC_API_KEY: 'sk-ant-1' },
      'x-api-key',
      'sk-ant-1',
      { 'anthropic-version': '2023-06-01' },
    ],
    [
      'github-token',
      'https://api.github.com',
      { GITHUB_TOKEN: 'github_pat_1' },
      'authorization',
      'Bearer github_pat_1',
      { 'user-agent': 'octokit' },
    ],
    ['slack', 'https://slack.com', { SLACK_BOT_TOKEN: 'xoxb-1' }, 'authorization', 'Bearer xoxb-1', {}],
    [
      'atlassian',
      'https://example.atlassian.net',
      { ATLASSIAN_API_TOKEN: 'ATATT3-1' },
      'authorization',
      `Basic ${btoa('robot@example.com:ATATT3-1')}`,
      {},
    ],
  ] as const)('%s', async (name, address, secrets, header, value, required) => {
    const standIn = await vendor(({ headers }) => {
      const lacks = Object.keys(required).some((wanted) => headers[wanted] === undefined);
      const isKnown = headers[header] === value && (header === 'authorization' || headers.authorization === undefined);
      return isKnown && !lacks ? { json: { ok: true } } : { status: lacks ? 403 : 401, json: { ok: false } };
    });
    const provider = providerOf(recipe(name, { [address]: standIn.origin }), secrets, { outbound });
    expect((await call(provider, `${standIn.origin}/v1`, required)).status).toBe(200);
  });
});

describe('recipes with a token that is obtained', () => {
  it('github-app: a token of the installation, by the key as GitHub hands it out', async () => {
    const pkcs1 = key.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string;
    const standIn = await vendor(({ method, path, headers }) => {
      if (headers['user-agent'] === undefined)
        return { status: 403, json: { message: 'Request forbidden by administrative rules' } };
      if (method === 'GET')
        return headers.authorization === 'Bearer ghs_token'
          ? { json: [] }
          : { status: 401, json: { message: 'Bad credentials' } };
      const { isSigned, claims } = opened(headers.authorization?.replace('Bearer ', '') ?? null);
      if (!isSigned || claims.iss !== 'Iv23liExample')
        return { status: 401, json: { message: 'A JSON web token could not be decoded' } };
      if (claims.exp - Date.now() / 1000 > 600)
        return { status: 401, json: { message: "'Expiration time' claim ('exp') is too far in the future" } };
      if (path !== '/app/installations/12345678/access_tokens') return { status: 404, json: { message: 'Not Found' } };
      return {
        status: 201,
        json: { token: 'ghs_token', expires_at: new Date(Date.now() + 3_600_000).toISOString(), permissions: {} },
      };
    });
    const replaced = { 'https://api.github.com': standIn.origin };
    const configured = { ...recipe('github-app', replaced), tokenEndpoint: standIn.origin };
    const provider = providerOf(configured, { GITHUB_APP_KEY: pkcs1 }, { outbound });
    expect((await call(provider, `${standIn.origin}/repos`, { 'user-agent': 'octokit' })).status).toBe(200);
    expect((await call(provider, `${standIn.origin}/repos`, { 'user-agent': 'octokit' })).status).toBe(200);
    expect(standIn.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
    const gone = providerOf({ ...configured, installationId: '99' }, { GITHUB_APP_KEY: pkcs1 }, { outbound });
    expect(await tokenOf(gone.attach(credentialRequest(gone)))).toBe('credential_unavailable token_endpoint_not_found');
  });

  it('google-service-account: scopes and audience in the assertion, a key in one line', async () => {
    const pem = (key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string).replaceAll('\n', '\\n');
    const standIn = await vendor(({ method, form, headers }, origin) => {
      if (method === 'GET') return { status: headers.authorization === 'Bearer ya29.c.b0Aa-token....' ? 200 : 401 };
      const { isSigned, header, claims } = opened(form.get('assertion'));
      if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer')
        return refusal('unsupported_grant_type', 'Invalid grant_type');
      if (!isSigned || header.kid !== '0123456789abcdef') return refusal('invalid_grant', 'Invalid JWT Signature.');
      if (claims.aud !== `${origin}/token`) return refusal('invalid_grant', 'Invalid JWT: Failed audience check.');
      if (claims.exp - claims.iat > 3_610)
        return refusal('invalid_grant', 'Invalid JWT: Token must be a short-lived token');
      if (form.has('scope') || claims.scope === undefined)
        return refusal('invalid_scope', 'Invalid OAuth scope or ID token audience provided.');
      return { json: { access_token: 'ya29.c.b0Aa-token....', expires_in: 3599, token_type: 'Bearer' } };
    });
    const replaced = {
      'https://oauth2.googleapis.com': standIn.origin,
      'https://www.googleapis.com"]': `${standIn.origin}"]`,
    };
    const provider = providerOf(recipe('google-service-account', replaced), { GOOGLE_PRIVATE_KEY: pem }, { outbound });
    expect((await call(provider, `${standIn.origin}/drive`)).status).toBe(200);
  });

  it('salesforce: an answer without a lifetime, a token with odd characters, a session that ends when it likes', async () => {
    let session = 1;
    const standIn = await vendor(({ method, form, headers }) => {
      const token = `00D5e!AQEAQ.session_${session}`;
      if (method === 'GET')
        return {
          status: headers.authorization === `Bearer ${token}` ? 200 : 401,
          json: [{ errorCode: 'INVALID_SESSION_ID' }],
        };
      const { isSigned, claims } = opened(form.get('assertion'));
      const isKnown = isSigned && claims.iss === '3MVG9ConsumerKey' && claims.sub === 'integration@example.com';
      if (!isKnown || claims.aud !== 'https://login.salesforce.com')
        return refusal('invalid_grant', "user hasn't approved this consumer");
      if (claims.exp - Date.now() / 1000 > 180) return refusal('invalid_grant', 'expired authorization code');
      return {
        json: {
          access_token: token,
          scope: 'api',
          instance_url: 'https://example.my.salesforce.com',
          id: 'https://login.salesforce.com/id/1',
          token_type: 'Bearer',
        },
      };
    });
    const replaced = {
      'https://login.salesforce.com/services': `${standIn.origin}/services`,
      'https://example.my.salesforce.com': standIn.origin,
    };
    const pem = key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const provider = providerOf(recipe('salesforce', replaced), { SALESFORCE_KEY: pem }, { outbound });
    const request = credentialRequest(provider);
    const first = (await provider.attach(request)) as Credential;
    expect((await call(provider, `${standIn.origin}/services/data`)).status).toBe(200);
    session++;
    expect((await call(provider, `${standIn.origin}/services/data`)).status).toBe(401);
    expect(await tokenOf(provider.renew(request, first))).toBe('00D5e!AQEAQ.session_2');
    expect((await call(provider, `${standIn.origin}/services/data`)).status).toBe(200);
  });

  it('microsoft-entra-id: an assertion named by its certificate, a tenant that is one', async () => {
    const certificate = certificateFor(key.privateKey);
    const { raw } = new X509Certificate(certificate);
    const x5t = createHash('sha1').update(raw).digest('base64url');
    const tenant = '/11111111-2222-3333-4444-555555555555';
    const standIn = await vendor(({ method, path, form, headers }, origin) => {
      if (path.includes('.well-known')) {
        if (path.startsWith('/.well-known')) return { status: 404, json: {} };
        const named = path.startsWith('/common') ? '{tenantid}' : tenant.slice(1);
        return {
          json: {
            issuer: `${origin}/${named}/v2.0`,
            token_endpoint: `${origin}${tenant}/oauth2/v2.0/token`,
            token_endpoint_auth_methods_supported: ['private_key_jwt'],
          },
        };
      }
      if (method === 'GET') return { status: headers.authorization === 'Bearer eyJ0.graph' ? 200 : 401 };
      const { isSigned, header, claims } = opened(form.get('client_assertion'), 'PS256');
      if (!isSigned || header.x5t !== x5t || header['x5t#S256'] === undefined) {
        return {
          status: 401,
          json: {
            error: 'invalid_client',
            error_description:
              'AADSTS700027: The certificate with identifier used to sign the client assertion is not registered',
            trace_id: 'x',
          },
        };
      }
      if (claims.aud !== `${origin}${tenant}/oauth2/v2.0/token`)
        return { status: 401, json: { error: 'invalid_client', error_description: 'AADSTS700023: audience' } };
      if (!form.get('scope')?.endsWith('/.default'))
        return refusal('invalid_scope', 'AADSTS1002012: must be suffixed with /.default');
      // The first version of the endpoint says numbers as texts, and this one more than is asked.
      return { json: { token_type: 'Bearer', expires_in: '3599', ext_expires_in: 3599, access_token: 'eyJ0.graph' } };
    });
    const replaced = {
      'https://login.microsoftonline.com': standIn.origin,
      '"https://graph.microsoft.com"': `"${standIn.origin}"`,
    };
    const secrets = {
      ENTRA_PRIVATE_KEY: key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      ENTRA_CERTIFICATE: certificate,
    };
    const configured = recipe('microsoft-entra-id', replaced);
    const provider = providerOf(configured, secrets, { outbound });
    expect((await call(provider, `${standIn.origin}/v1.0/me`)).status).toBe(200);
    const common = providerOf({ ...configured, issuer: `${standIn.origin}/common/v2.0` }, secrets, {
      outbound,
    }) as Provider & Probeable;
    expect(await common.probe('default')).toMatchObject({ reason: 'issuer_mismatch' });
    const other = providerOf(
      configured,
      { ...secrets, ENTRA_CERTIFICATE: certificateFor(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey) },
      { outbound },
    ) as Provider & Probeable;
    expect(await other.probe('default')).toMatchObject({
      reason: 'token_endpoint_invalid_client',
      explanation: expect.stringContaining('AADSTS700027'),
    });
  });

  it('slack: errors of status 200, tokens in a member, scopes with commas, rotation', async () => {
    let refreshes = 0;
    const standIn = await vendor(({ method, path, form, headers }: VendorRequest, origin) => {
      if (path.startsWith('/oauth/v2/authorize')) {
        const query = new URL(path, origin).searchParams;
        const isAsked = query.get('user_scope') === 'search:read,chat:write' && !query.has('scope');
        const back = new URL(query.get('redirect_uri')!);
        back.searchParams.set(isAsked ? 'code' : 'error', isAsked ? 'code-1' : 'invalid_scope');
        back.searchParams.set('state', query.get('state')!);
        return { status: 302, headers: { Location: back.href } };
      }
      if (method === 'GET') return { json: { ok: headers.authorization?.startsWith('Bearer xoxe.xoxp-') } };
      if (form.get('client_secret') !== 'slack-secret' || headers.authorization !== undefined)
        return { json: { ok: false, error: 'bad_client_secret' } };
      if (form.get('grant_type') === 'refresh_token') {
        if (form.get('refresh_token') !== `xoxe-1-${refreshes}`)
          return { json: { ok: false, error: 'invalid_refresh_token' } };
        refreshes++;
        return {
          json: {
            ok: true,
            access_token: `xoxe.xoxp-${refreshes}`,
            token_type: 'user',
            refresh_token: `xoxe-1-${refreshes}`,
            expires_in: 43200,
          },
        };
      }
      if (form.get('code') !== 'code-1') return { json: { ok: false, error: 'invalid_code' } };
      const authed_user = {
        id: 'U1',
        scope: 'search:read,chat:write',
        access_token: 'xoxe.xoxp-0',
        token_type: 'user',
        refresh_token: 'xoxe-1-0',
        expires_in: 43200,
      };
      return { json: { ok: true, app_id: 'A1', authed_user, team: { id: 'T1' } } };
    });
    const sealing = [{ id: 'k1', key: generateSealingKey() }];
    const pages = await vendor(() => ({ status: 404 }));
    const links = connectLinks({ publicUrl: pages.origin, sealing });
    const services = { outbound, sealing, connections: memoryConnectionStore(), connect: links };
    const provider = providerOf(
      recipe('slack', { 'https://slack.com': standIn.origin }, 1),
      { SLACK_CLIENT_SECRET: 'slack-secret' },
      services,
    ) as AuthorizationCodeProvider;
    const connect = createConnectService({
      links,
      providers: [provider],
      replays: memoryReplayStore(),
      sealing,
      outbound,
    });

    const owner = { issuer: 'https://issuer.test', subject: 'alice' };
    const connectionKey = { zoneId: 'default', providerId: provider.id, owner };
    const cookies = new Map<string, string>();
    const visit = async (url: string, form?: Record<string, string>) => {
      const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') };
      const answer = await connect.handler(
        new Request(url, { headers, ...(form && { method: 'POST', body: new URLSearchParams(form) }) }),
      );
      for (const cookie of answer!.headers.getSetCookie())
        cookies.set(cookie.split('=')[0]!, cookie.split('=')[1]!.split(';')[0]!);
      return answer!;
    };
    const begun = await visit(await connect.invite(connectionKey));
    const page = await (await visit(begun.headers.get('location')!)).text();
    const granting = await visit(`${pages.origin}/connect/decide`, {
      once: /name="once" value="([^"]*)"/.exec(page)![1]!,
      do: 'connect',
    });
    const consented = await fetch(granting.headers.get('location')!, { redirect: 'manual' });
    expect((await visit(consented.headers.get('location')!)).status).toBe(200);
    expect(await tokenOf(provider.attach(credentialRequest(provider)))).toBe('xoxe.xoxp-0');
    const refused = (await provider.attach(credentialRequest(provider))) as Credential;
    expect(await tokenOf(provider.renew(credentialRequest(provider), refused))).toBe('xoxe.xoxp-1');
    expect(await connect.status(connectionKey)).toMatchObject({ scope: 'search:read,chat:write', renewable: true });
    expect(await provider.probe('default')).toEqual({ ok: true });
  });
});

describe('the recipes', () => {
  it('are all tried: here, or (internal-api) by the suite of exchanged mandates', () => {
    const files = readdirSync(fileURLToPath(new URL('../../docs/providers/', import.meta.url)));
    const tried = readFileSync(fileURLToPath(import.meta.url), 'utf8');
    expect(files.filter((name) => !tried.includes(name.replace('.md', '')))).toEqual([]);
  });
});

function certificateFor(privateKey: KeyObject): string {
  const directory = mkdtempSync(join(tmpdir(), 'caracal-certificate-'));
  try {
    const path = join(directory, 'key.pem');
    writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    return execFileSync('openssl', ['req', '-x509', '-new', '-key', path, '-days', '1', '-subj', '/CN=gateway'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
