import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createClient } from './client.js';
import { readProfile, revealSecret } from './profile.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'caracal-profile-'));
  for (const name of Object.keys(process.env)) if (name.startsWith('CARACAL_')) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

function profileFile(content: unknown): string {
  const path = join(directory, 'profile.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const FILE = {
  caracalProfile: 1,
  gatewayUrl: 'http://127.0.0.1:8081',
  tokenUrl: 'http://127.0.0.1:8080/oauth/2/token',
  issuer: 'http://127.0.0.1:8080',
  zone: 'default',
  applicationId: 'billing-agent',
  applicationSecret: { env: 'BILLING_AGENT_SECRET' },
  resources: [
    { identifier: 'resource://billing-api', scopes: ['billing:read'], url: 'http://127.0.0.1:8081/billing' },
    { identifier: 'resource://crm', scopes: [], url: 'http://127.0.0.1:8081' },
  ],
};

describe('a profile', () => {
  it('comes from the environment alone', () => {
    vi.stubEnv('CARACAL_GATEWAY_URL', 'http://127.0.0.1:8081');
    vi.stubEnv('CARACAL_TOKEN_URL', 'http://127.0.0.1:8080/oauth/2/token');
    vi.stubEnv('CARACAL_ZONE', 'default');
    vi.stubEnv('CARACAL_APPLICATION_ID', 'billing-agent');
    vi.stubEnv('CARACAL_APPLICATION_SECRET_ENV', 'BILLING_AGENT_SECRET');
    vi.stubEnv('CARACAL_RESOURCES', 'resource://billing-api,resource://crm');
    expect(readProfile()).toEqual({
      gatewayUrl: 'http://127.0.0.1:8081',
      tokenUrl: 'http://127.0.0.1:8080/oauth/2/token',
      zone: 'default',
      applicationId: 'billing-agent',
      applicationSecret: { env: 'BILLING_AGENT_SECRET' },
      resources: [{ identifier: 'resource://billing-api' }, { identifier: 'resource://crm' }],
    });
    expect(() => createClient().transport()).toThrow(/resource: name one/);
    expect(createClient().url('resource://crm')).toBe('http://127.0.0.1:8081');
  });

  it('comes from a file, and single variables override its members', () => {
    vi.stubEnv('CARACAL_PROFILE', profileFile(FILE));
    expect(createClient().url('resource://billing-api')).toBe('http://127.0.0.1:8081/billing');
    vi.stubEnv('CARACAL_GATEWAY_URL', 'https://gateway.example');
    vi.stubEnv('CARACAL_APPLICATION_SECRET', 'by hand');
    vi.stubEnv('CARACAL_RESOURCES', 'resource://billing-api');
    expect(readProfile()).toMatchObject({
      gatewayUrl: 'https://gateway.example',
      applicationId: 'billing-agent',
      applicationSecret: 'by hand',
      resources: [FILE.resources[0]],
    });
  });

  it('is not looked for where the gateway is given', () => {
    vi.stubEnv('CARACAL_PROFILE', join(directory, 'absent'));
    const mint = async () => ({ access_token: 'a' });
    expect(createClient({ gatewayUrl: 'https://gateway.example', mint }).url('resource://x')).toBe(
      'https://gateway.example',
    );
  });

  it.each([
    ['absent', () => join(directory, 'absent')],
    ['no JSON', () => profileFile('{"applicationSecret": "canary-1"')],
    ['of another format', () => profileFile({ ...FILE, caracalProfile: 2, applicationSecret: 'canary-1' })],
  ])('that is %s is refused, and its text is not shown', (_, path) => {
    const attempt = () => createClient({ profile: path() });
    expect(attempt).toThrow(TypeError);
    expect(attempt).not.toThrow(/canary/);
  });

  it('names what is missing', () => {
    expect(() => createClient()).toThrow(/CARACAL_GATEWAY_URL or CARACAL_PROFILE/);
    expect(() => createClient({ gatewayUrl: 'https://gateway.example' })).toThrow(/tokenUrl/);
    const tokenUrl = 'https://tokens.example/token';
    expect(() => createClient({ gatewayUrl: 'https://gateway.example', tokenUrl })).toThrow(/applicationSecret/);
  });

  it('sends nothing over plain http beyond loopback unless told to', () => {
    const mint = async () => ({ access_token: 'a' });
    for (const gatewayUrl of ['http://gateway.example', 'http://127.0.0.1.example', 'ftp://x', 'https://a@b', 'x']) {
      expect(() => createClient({ gatewayUrl, mint }), gatewayUrl).toThrow(TypeError);
    }
    for (const gatewayUrl of ['http://localhost:1', 'http://[::1]:1', 'http://127.8.0.1', 'https://x']) {
      expect(createClient({ gatewayUrl, mint }).url('r:x')).toBe(gatewayUrl);
    }
    expect(createClient({ gatewayUrl: 'http://gateway', mint, allowPlaintext: true }).url('r:x')).toBe(
      'http://gateway',
    );
  });

  it('has its secret read when it is needed, from where it is', async () => {
    vi.stubEnv('BILLING_AGENT_SECRET', 'from the environment');
    expect(await revealSecret({ env: 'BILLING_AGENT_SECRET' })).toBe('from the environment');
    expect(await revealSecret({ file: profileFile('from a file\n') })).toBe('from a file');
    expect(await revealSecret(() => 'from a function')).toBe('from a function');
    await expect(revealSecret({ env: 'ABSENT' })).rejects.toThrow('variable ABSENT');
  });
});
