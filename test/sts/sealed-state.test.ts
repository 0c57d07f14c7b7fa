import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSealingKey, memoryAuditSink, sealedSecretStore, sealSecret } from '@caracal/core';
import { APPLICATION_SECRET_FIELD, createTokenService, Denied, fileSigningKeyStore } from '@caracal/sts';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ISSUER = 'https://tokens.example';
const SECRET = 'sealed-secret-canary-5d20';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'caracal-sts-state-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function world() {
  const sealingKey = { id: 'k1', key: generateSealingKey() };
  const place = { zoneId: 'default', providerId: 'agent', field: APPLICATION_SECRET_FIELD, origins: [] };
  const sealed = await sealSecret(SECRET, sealingKey, place);
  const audit = memoryAuditSink();
  const start = () =>
    createTokenService({
      issuer: ISSUER,
      resources: [{ identifier: 'resource://a', scopes: ['read'] }],
      applications: [{ id: 'agent', secret: { sealed }, grants: [{ resource: 'resource://a', scopes: ['read'] }] }],
      secrets: sealedSecretStore({ keys: [sealingKey] }),
      keys: fileSigningKeyStore({ directory, zone: 'default', sealingKeys: [sealingKey] }),
      audit: { sink: audit },
    });
  return { start, audit };
}

const request = (members: Record<string, string>) =>
  new Request(`${ISSUER}/oauth/2/token`, { method: 'POST', body: new URLSearchParams(members) });

describe('a token service whose secrets are sealed', () => {
  it('signs with the same keys after a restart, and publishes those from before a rotation', async () => {
    const { start } = await world();
    const first = await start();
    const issued = await first.issue({ applicationId: 'agent', resources: ['resource://a'] });
    if (issued instanceof Denied) throw new Error(issued.reason);
    await first.rotate();
    await first.close();
    const second = await start();
    expect(second.jwks()).toEqual(first.jwks());
    await jwtVerify(issued.mandate, createLocalJWKSet(second.jwks()), { issuer: ISSUER });
    const narrowed = await second.issue({
      applicationId: 'agent',
      subjectToken: issued.mandate,
      resources: ['resource://a'],
    });
    expect(narrowed).not.toBeInstanceOf(Denied);
    await second.close();
  });

  it('opens the secret of an application when it is asked for, and shows it nowhere', async () => {
    const { start, audit } = await world();
    const service = await start();
    const members = { grant_type: 'client_credentials', client_id: 'agent' };
    expect((await service.handler(request({ ...members, client_secret: SECRET }))).status).toBe(200);
    expect((await service.handler(request({ ...members, client_secret: 'wrong' }))).status).toBe(401);
    const files = await Promise.all((await readdir(directory)).map((name) => readFile(join(directory, name), 'utf8')));
    expect(files).toHaveLength(1);
    for (const text of [...files, JSON.stringify(audit.records())]) expect(text).not.toContain(SECRET);
    await service.close();
  });
});
