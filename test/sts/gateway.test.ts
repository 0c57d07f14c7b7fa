import { memoryAuditSink, memoryRevocationStore, Secret } from '@caracal/core';
import { createTokenService, Denied, type IssuedMandate, type IssueOptions, type TokenService } from '@caracal/sts';
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { type FakeWorld, fakeWorld, RESOURCE } from '../gateway/fake-world.js';

const ISSUER = 'https://tokens.example';

async function issue(service: TokenService, options: Partial<IssueOptions> = {}): Promise<IssuedMandate> {
  const issued = await service.issue({ applicationId: 'agent', resources: [RESOURCE], ...options });
  if (issued instanceof Denied) throw new Error(issued.reason);
  return issued;
}

interface World extends FakeWorld {
  readonly service: TokenService;
}

/** A token service and a gateway in one process, with the same revocations and the same evidence. */
async function world(): Promise<World> {
  const revocations = memoryRevocationStore();
  const audit = memoryAuditSink();
  const service = await createTokenService({
    issuer: ISSUER,
    resources: [{ identifier: RESOURCE, scopes: ['billing:read', 'billing:submit'], gatewayApplication: 'gateway' }],
    applications: [
      {
        id: 'agent',
        secret: new Secret('s'),
        grants: [{ resource: RESOURCE, scopes: ['billing:read', 'billing:submit'] }],
      },
      { id: 'gateway', secret: new Secret('g'), grants: [] },
    ],
    revocations,
    audit: { sink: audit },
  });
  const issuers = [{ issuer: ISSUER, keySource: service.keySource }];
  return { ...(await fakeWorld({}, { issuers, revocations, audit: { sink: audit } })), audit, revocations, service };
}

const call = ({ head, send }: World, mandate: string) => send(head(mandate));

describe('a token service and a gateway', () => {
  it('admits what was issued for the resource, and one jti joins the evidence of both', async () => {
    const w = await world();
    const { mandate, claims } = await issue(w.service);
    expect((await call(w, mandate)).status).toBe(200);
    const records = w.audit.records().filter(({ jti }) => jti === claims.jti);
    expect(records.map(({ type }) => type)).toEqual(['mandate.issued', 'request.authorized']);
    expect(records[0]).toMatchObject({
      applicationId: 'agent',
      subject: 'agent',
      subjectType: 'application',
      sessionId: claims.sid,
      rootSessionId: claims.root_sid,
      zoneId: 'default',
      issuer: ISSUER,
      use: 'gateway',
      targets: [RESOURCE],
      scopes: ['billing:read', 'billing:submit'],
      decision: 'allowed',
    });
    expect(JSON.stringify(w.audit.records())).not.toContain(mandate);
  });

  it('refuses a session, which is for the token service alone, and a scope that was not asked for', async () => {
    const w = await world();
    const session = await issue(w.service, { resources: [] });
    expect((await call(w, session.mandate)).error).toBe('invalid_token');
    const narrow = await issue(w.service, { scopes: ['billing:submit'] });
    expect((await call(w, narrow.mandate)).error).toBe('insufficient_scope');
    expect(w.transport.plans).toEqual([]);
  });

  it('admits a mandate the resource is the audience of, and names who asked for it', async () => {
    const w = await world();
    const presented = await issue(w.service);
    const { mandate, claims } = await issue(w.service, { applicationId: 'gateway', subjectToken: presented.mandate });
    expect(claims).toMatchObject({ use: 'resource', aud: RESOURCE, client_id: 'agent', sid: presented.claims.sid });
    expect(claims.exp).toBeLessThanOrEqual(presented.claims.exp);
    expect((await call(w, mandate)).status).toBe(200);
    expect(w.audit.records().find(({ jti }) => jti === claims.jti)?.requester).toBe('gateway');
  });

  it('refuses everything of a session that was revoked, and issues nothing more in it', async () => {
    const w = await world();
    const session = await issue(w.service, { resources: [] });
    const { mandate } = await issue(w.service, { subjectToken: session.mandate });
    const other = await issue(w.service);
    expect((await call(w, mandate)).status).toBe(200);
    await w.revocations.revoke({ zoneId: 'default', issuer: ISSUER, kind: 'sid', id: session.claims.sid });
    expect((await call(w, mandate)).error).toBe('session_revoked');
    expect((await call(w, other.mandate)).status).toBe(200);
    const refused = await w.service.issue({ applicationId: 'agent', subjectToken: session.mandate });
    expect(refused).toMatchObject({ error: 'invalid_request', reason: 'subject_session_revoked' });
  });

  it('issues nothing to an application that was revoked, until that is lifted', async () => {
    const w = await world();
    const { mandate } = await issue(w.service);
    const anchor = { zoneId: 'default', issuer: ISSUER, kind: 'client_id', id: 'agent' } as const;
    await w.revocations.revoke(anchor);
    expect((await call(w, mandate)).error).toBe('session_revoked');
    expect(await w.service.issue({ applicationId: 'agent' })).toMatchObject({ reason: 'application_revoked' });
    await w.revocations.lift(anchor);
    expect((await call(w, mandate)).status).toBe(200);
    expect(await w.service.issue({ applicationId: 'agent' })).not.toBeInstanceOf(Denied);
  });

  it('admits mandates of the key before and after a rotation', async () => {
    const w = await world();
    const before = await issue(w.service);
    await w.service.rotate();
    const after = await issue(w.service);
    for (const { mandate } of [before, after]) expect((await call(w, mandate)).status).toBe(200);
  });
});

describe('mandates as the published behaviour describes them', () => {
  const now = () => Math.floor(Date.now() / 1000);

  it('are accepted by the gateway when somebody writes them by hand', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const keys = [{ ...(await exportJWK(publicKey)), kid: 'by-hand' }];
    const w = await fakeWorld({}, { issuers: [{ issuer: ISSUER, keys }] });
    const mandate = await new SignJWT({
      iss: ISSUER,
      sub: 'agent',
      aud: ISSUER,
      exp: now() + 60,
      iat: now(),
      jti: 'one',
      zone_id: 'default',
      client_id: 'agent',
      scope: 'billing:read',
      use: 'gateway',
      sub_type: 'application',
      target: [RESOURCE],
      sid: 's1',
      root_sid: 's1',
    })
      .setProtectedHeader({ alg: 'ES256', kid: 'by-hand', typ: 'at+jwt' })
      .sign(privateKey);
    expect((await w.send(w.head(mandate))).status).toBe(200);
  });

  it('are what this service issues, to a verifier that somebody else wrote', async () => {
    const { service } = await world();
    const keys = createLocalJWKSet(service.jwks());
    const required = ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'zone_id', 'client_id', 'use', 'sid', 'root_sid'];
    const verify = async (mandate: string, audience: string) => {
      const options = { issuer: ISSUER, audience, typ: 'at+jwt', algorithms: ['ES256', 'EdDSA'] };
      const { payload } = await jwtVerify(mandate, keys, { ...options, requiredClaims: [...required, 'sub_type'] });
      expect(payload).toMatchObject({ zone_id: 'default', client_id: 'agent', sub: 'agent', sub_type: 'application' });
      expect(payload.exp! - payload.iat!).toBeLessThanOrEqual(3600);
      return payload;
    };
    const session = await issue(service, { resources: [], ttlSeconds: 9_999 });
    const gateway = await issue(service, { subjectToken: session.mandate });
    const resource = await issue(service, { applicationId: 'gateway', subjectToken: gateway.mandate });
    expect(await verify(session.mandate, ISSUER)).toMatchObject({ use: 'session' });
    expect(await verify(gateway.mandate, ISSUER)).toMatchObject({ use: 'gateway', target: [RESOURCE] });
    expect(await verify(resource.mandate, RESOURCE)).toMatchObject({ use: 'resource', aud: RESOURCE });
    for (const { mandate, claims } of [session, gateway, resource]) {
      expect(mandate.length).toBeLessThan(8192);
      expect(claims).toMatchObject({ sid: session.claims.sid, root_sid: session.claims.sid });
    }
  });
});
