import { connect } from 'node:net';
import { type AuditSink, memoryReplayStore, Secret } from '@caracal/core';
import { hashSecret, type TokenServiceFault, type TokenServiceOptions } from '@caracal/sts';
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RESOURCE } from '../gateway/fake-world.js';
import {
  AGENT_SECRET,
  GATEWAY_SECRET,
  type ServedTokenService,
  serveTokenService,
  type Way,
} from './served-token-service.js';

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** For what takes as long as the machine does. */
const PATIENCE = { timeout: 30_000 };
const FORM = 'application/x-www-form-urlencoded';

let served: ServedTokenService;
let way: Way;
const serve = async (changes?: Partial<TokenServiceOptions>) => {
  served = await serveTokenService(changes, way);
};
afterEach(() => served.close());

async function post(path: string, body: BodyInit, headers: Record<string, string> = {}, init: RequestInit = {}) {
  const response = await fetch(served.issuer + path, {
    method: 'POST',
    body,
    headers: { 'Content-Type': FORM, ...headers },
    ...init,
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: text === '' ? undefined : JSON.parse(text) };
}
const token = (members: Record<string, string> | [string, string][]) =>
  post('/oauth/2/token', new URLSearchParams(members).toString());
const agent = { client_id: 'agent', client_secret: AGENT_SECRET };
const credentials = { grant_type: 'client_credentials', ...agent };
const lastRecord = () => served.audit.records().at(-1);

describe.each<Way>(['listener', 'handler'])('through its %s', (asked) => {
  beforeEach(() => {
    way = asked;
  });

  describe('the token endpoint', () => {
    it("issues to Caracal's clients as they ask", async () => {
      await serve();
      const members = { grant_type: TOKEN_EXCHANGE, application_id: 'agent', client_secret: AGENT_SECRET };
      const issued = await token({ ...members, zone_id: 'default', resource: RESOURCE, ttl_seconds: '60' });
      expect(issued.status).toBe(200);
      expect(issued.json).toMatchObject({ token_type: 'Bearer', expires_in: 60, issued_token_type: /access_token$/ });
      expect(issued.headers.get('cache-control')).toBe('no-store');
      expect((await token({ ...members, zone_id: 'other' })).json.error).toBe('invalid_request');
      const inOtherForm = { grant_type: TOKEN_EXCHANGE, ...agent, resource: RESOURCE };
      expect((await token(inOtherForm)).json.error).toBe('invalid_request');
    });

    it('leaves evidence of what it refuses: before the application is known, nothing that was claimed', async () => {
      await serve();
      const stranger = await token({ ...credentials, client_secret: 'guess-canary', scope: 'scope-canary' });
      expect(stranger.status).toBe(401);
      expect(stranger.headers.get('www-authenticate')).toMatch(/^Basic realm="caracal"/);
      expect(stranger.json).toEqual({ error: 'invalid_client', error_description: expect.any(String) });
      expect(lastRecord()).toMatchObject({
        type: 'mandate.denied',
        error: 'invalid_client',
        reason: 'secret_wrong',
        status: 401,
        path: '/oauth/2/token',
        peer: '127.0.0.1',
        requestId: stranger.headers.get('x-caracal-request-id'),
      });
      expect(lastRecord()?.applicationId).toBeUndefined();
      await token({ ...credentials, resource: 'resource://unknown' });
      expect(lastRecord()).toMatchObject({ error: 'invalid_target', applicationId: 'agent', zoneId: 'default' });
      const evidence = JSON.stringify(served.audit.records());
      for (const secret of ['canary', AGENT_SECRET]) expect(evidence).not.toContain(secret);
    });

    it('answers an unknown application as it answers a wrong secret', async () => {
      await serve();
      const wrong = await token({ ...credentials, client_secret: 'x' });
      const unknown = await token({ ...credentials, client_id: 'nobody' });
      const keyed = await token({ ...credentials, client_id: 'signer' });
      for (const { status, text } of [unknown, keyed])
        expect({ status, text }).toEqual({ status: 401, text: wrong.text });
    });

    it('locks nobody out, whatever strangers guess', async () => {
      await serve({
        applications: [
          { id: 'agent', secret: { hash: await hashSecret(new Secret(AGENT_SECRET)) }, grants: [] },
          { id: 'gateway', secret: new Secret(GATEWAY_SECRET), grants: [] },
        ],
      });
      expect((await token(credentials)).status).toBe(200);
      const guesses = Array.from({ length: 20 }, (_, index) =>
        token({ ...credentials, client_secret: `guess ${index}` }),
      );
      expect((await token(credentials)).status).toBe(200);
      expect((await token({ ...credentials, client_id: 'gateway', client_secret: GATEWAY_SECRET })).status).toBe(200);
      const statuses = (await Promise.all(guesses)).map(({ status }) => status);
      expect(new Set(statuses)).toEqual(new Set([401, 503]));
      expect((await token(credentials)).status).toBe(200);
    });

    it.each([
      ['a repeated parameter', 'grant_type=client_credentials&grant_type=client_credentials', 400],
      ['a malformed escape', 'grant_type=%zz', 400],
      ['too many parameters', Array.from({ length: 65 }, (_, index) => `p${index}=1`).join('&'), 400],
      ['bad UTF-8', new Uint8Array([0x61, 0x3d, 0xff]), 400],
      ['a body that is too large', `a=${'x'.repeat(70_000)}`, 413],
    ])('refuses %s', async (_name, body, status) => {
      await serve();
      const answer = await post('/oauth/2/token', body);
      expect(answer.status).toBe(status);
      expect(answer.json.error).toBe('invalid_request');
      expect(lastRecord()).toMatchObject({ type: 'mandate.denied', error: 'invalid_request', status });
    });

    it('refuses a body of unknown length as soon as it is too large', async () => {
      await serve();
      const stream = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(16_384).fill(0x61)),
      });
      const answer = post('/oauth/2/token', stream, {}, { duplex: 'half' } as RequestInit);
      // The rest of the body is not read: the client sees the answer, or its connection closed.
      const status = await answer.then(
        (received) => received.status,
        () => 413,
      );
      expect(status).toBe(413);
    });

    it('records a body that breaks off', async () => {
      await serve();
      const { hostname, port } = new URL(served.issuer);
      const socket = connect(Number(port), hostname);
      socket.write(
        `POST /oauth/2/token HTTP/1.1\r\nHost: x\r\nContent-Type: ${FORM}\r\nContent-Length: 100\r\n\r\ngrant_`,
      );
      await vi.waitFor(() => expect(socket.bytesWritten).toBeGreaterThan(0), PATIENCE);
      socket.end();
      await vi.waitFor(() => expect(lastRecord()).toMatchObject({ reason: 'body_aborted', status: 400 }), PATIENCE);
      expect(served.audit.records()).toHaveLength(1);
      socket.destroy();
    });

    it('refuses credentials that come twice', async () => {
      await serve();
      const { hostname, port } = new URL(served.issuer);
      const basic = `Authorization: Basic ${btoa(`${encodeURIComponent('agent')}:${encodeURIComponent(AGENT_SECRET)}`)}`;
      const lines = [
        `POST /oauth/2/token HTTP/1.1`,
        'Host: x',
        `Content-Type: ${FORM}`,
        'Content-Length: 29',
        'Connection: close',
      ];
      const ask = async (...headers: string[]) => {
        const socket = connect(Number(port), hostname);
        socket.write(`${[...lines, ...headers].join('\r\n')}\r\n\r\ngrant_type=client_credentials`);
        let answer = '';
        for await (const chunk of socket) answer += chunk;
        return answer.slice(9, 12);
      };
      expect(await ask(basic)).toBe('200');
      if (asked === 'listener') expect(await ask(basic, basic)).toBe('401');
    });

    it('takes POST with a form and no query alone', async () => {
      await serve();
      const form = new URLSearchParams(credentials).toString();
      expect((await post('/oauth/2/token?x=1', form)).status).toBe(400);
      expect((await post('/oauth/2/token', form, { 'Content-Type': 'application/json' })).status).toBe(400);
      expect((await post('/oauth/2/token', form, { 'Content-Type': `${FORM}; charset=utf-8` })).status).toBe(200);
      const get = await fetch(`${served.issuer}/oauth/2/token`);
      expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
      expect((await fetch(`${served.issuer}/elsewhere`)).status).toBe(404);
    });

    it('hands out no mandate that could not be recorded', async () => {
      const faults: TokenServiceFault[] = [];
      const sink: AuditSink = { append: () => Promise.reject(new Error('disk full')) };
      await serve({ audit: { sink }, onFault: (fault) => faults.push(fault) });
      const answer = await token(credentials);
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toMatch(/^[1-5]$/);
      expect(answer.json).toEqual({ error: 'temporarily_unavailable', error_description: expect.any(String) });
      expect(faults[0]).toMatchObject({ error: 'temporarily_unavailable', reason: 'audit_unavailable' });
    });

    it('issues nothing while it cannot know what is revoked', async () => {
      await serve({
        revocations: {
          isRevoked: () => false,
          freshAsOf: () => Number.NEGATIVE_INFINITY,
          revoke: async () => {},
          lift: async () => {},
          subscribe: () => () => {},
        },
      });
      expect((await token(credentials)).status).toBe(503);
      expect(lastRecord()?.reason).toBe('revocations_stale');
    });

    it('answers nobody once it is closed', async () => {
      await serve();
      await served.service.close();
      await served.service.close();
      expect((await token(credentials)).status).toBe(503);
      expect(await served.service.issue({ applicationId: 'agent' })).toMatchObject({ reason: 'closed' });
    });
  });

  describe('an assertion', () => {
    const now = () => Math.floor(Date.now() / 1000);
    const claims = (changes: Record<string, unknown> = {}) => ({
      iss: 'signer',
      sub: 'signer',
      aud: served.issuer,
      iat: now(),
      exp: now() + 60,
      jti: crypto.randomUUID(),
      ...changes,
    });
    const send = async (payload: Record<string, unknown>, header: Record<string, string> = {}, extra = {}) => {
      const signed = new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'signer-1', ...header });
      const client_assertion = await signed.sign(served.signerKey);
      return token({ grant_type: 'client_credentials', client_assertion, client_assertion_type: JWT_BEARER, ...extra });
    };

    it('is for the issuer or its token endpoint', async () => {
      await serve();
      expect((await send(claims())).status).toBe(200);
      expect((await send(claims({ aud: [`${served.issuer}/oauth/2/token`] }))).status).toBe(200);
      expect((await send(claims(), { typ: 'client-authentication+jwt' }, { client_id: 'signer' })).status).toBe(200);
    });

    it.each([
      ['for somebody else', { aud: 'https://other.example' }],
      ['for somebody else too', () => ({ aud: [served.issuer, 'https://other.example'] })],
      ['of another issuer', { iss: 'agent' }],
      ['of an application without keys', { iss: 'agent', sub: 'agent' }],
      ['without jti', { jti: undefined }],
      ['without exp', { exp: undefined }],
      ['without iat', { iat: undefined }],
      ['that is over', () => ({ iat: now() - 60, exp: now() - 1 })],
      ['that lives too long', () => ({ exp: now() + 3600 })],
    ])('%s is refused', async (_name, changes) => {
      await serve();
      const answer = await send(claims(typeof changes === 'function' ? changes() : changes));
      expect([answer.status, answer.json.error]).toEqual([401, 'invalid_client']);
    });

    it('with another type, another key or another application in the body is refused', async () => {
      await serve();
      expect((await send(claims(), { typ: 'at+jwt' })).status).toBe(401);
      expect((await send(claims(), { kid: 'other' })).status).toBe(401);
      expect((await send(claims(), {}, { client_id: 'agent' })).status).toBe(401);
    });

    it('is taken once, also by two at the same time, and by nobody while that cannot be known', async () => {
      await serve();
      const payload = claims();
      const statuses = (await Promise.all([send(payload), send(payload)])).map(({ status }) => status);
      expect(statuses.toSorted()).toEqual([200, 401]);
      await served.close();
      await serve({ replays: { use: () => Promise.reject(new Error('down')) }, onFault: () => {} });
      expect((await send(claims())).status).toBe(503);
      await served.close();
      await serve({ replays: memoryReplayStore({ maxEntries: 1 }), onFault: () => {} });
      expect((await send(claims())).status).toBe(200);
      expect((await send(claims())).status).toBe(503);
    });
  });

  describe('the documents', () => {
    it('announce the endpoints and the keys, of which nothing private is shown', async () => {
      await serve();
      const metadata = await fetch(`${served.issuer}/.well-known/oauth-authorization-server`);
      const document = await metadata.json();
      expect(document).toMatchObject({
        issuer: served.issuer,
        token_endpoint: `${served.issuer}/oauth/2/token`,
        grant_types_supported: [TOKEN_EXCHANGE, 'client_credentials'],
        response_types_supported: [],
      });
      expect(JSON.stringify(document)).not.toContain('billing');
      const keys = await fetch(document.jwks_uri);
      expect(await keys.json()).toEqual(served.service.jwks());
      expect(JSON.stringify(served.service.jwks())).not.toContain('"d"');
      expect((await fetch(document.jwks_uri, { method: 'HEAD' })).status).toBe(200);
      expect((await fetch(document.jwks_uri, { method: 'POST' })).status).toBe(405);
    });
  });
});
