import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BILLING, type ServerWorld, serverWorld } from './server.js';

const ISSUER = 'https://hand.example';

let world: ServerWorld;
let privateKey: CryptoKey;
beforeAll(async () => {
  const pair = await generateKeyPair('ES256');
  privateKey = pair.privateKey;
  const key = { ...(await exportJWK(pair.publicKey)), kid: 'hand-1', alg: 'ES256' };
  world = await serverWorld((usual) => ({ ...usual, issuers: [{ issuer: ISSUER, keys: [key] }] }));
});
afterAll(() => world?.close());

/** A mandate by the words of section 3, without a line of ours. */
function byHand(changes: Record<string, unknown> = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const id = crypto.randomUUID();
  const claims = {
    iss: ISSUER,
    sub: 'billing-agent',
    aud: ISSUER,
    exp: now + 300,
    iat: now,
    jti: id,
    zone_id: 'default',
    client_id: 'billing-agent',
    scope: 'billing:read',
    use: 'gateway',
    sub_type: 'application',
    target: [BILLING],
    sid: id,
    root_sid: id,
    ...changes,
  };
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'hand-1', typ: 'at+jwt' }).sign(privateKey);
}

describe('mandates', () => {
  it('written by hand are accepted', async () => {
    expect((await world.call(await byHand())).status).toBe(200);
    expect((await world.call(await byHand({ use: 'resource', aud: BILLING, target: undefined }))).status).toBe(200);
  });

  it.each([
    ['use session', { use: 'session' }],
    ['another audience', { aud: 'https://other.example' }],
    ['another zone', { zone_id: 'other' }],
    ['no session', { sid: undefined }],
    ['a life of two days', { exp: Math.floor(Date.now() / 1000) + 172_800 }],
    ['an end that has come', { exp: Math.floor(Date.now() / 1000) - 1 }],
  ])('written by hand with %s are refused before the upstream', async (_name, changes) => {
    const before = world.seen.length;
    const answer = await world.call(await byHand(changes));
    expect([answer.status, answer.headers.get('x-caracal-error')]).toEqual([401, 'invalid_token']);
    expect(world.seen).toHaveLength(before);
  });

  it('of our token service are accepted by a verifier written by hand', async () => {
    const { tokenService } = world.url;
    const metadata = await (await fetch(`${tokenService}/.well-known/oauth-authorization-server`)).json();
    const keys = createRemoteJWKSet(new URL((metadata as { jwks_uri: string }).jwks_uri));
    const options = { issuer: tokenService, audience: tokenService, typ: 'at+jwt', algorithms: ['ES256', 'EdDSA'] };
    const { payload, protectedHeader } = await jwtVerify(await world.mandate(), keys, options);
    expect(protectedHeader.kid).toBeTypeOf('string');
    expect(payload).toMatchObject({
      sub: 'billing-agent',
      zone_id: 'default',
      client_id: 'billing-agent',
      scope: 'billing:read',
      use: 'gateway',
      sub_type: 'application',
      target: [BILLING],
    });
    for (const claim of ['jti', 'sid', 'root_sid']) expect(payload[claim]).toBeTypeOf('string');
    expect(payload.exp! - payload.iat!).toBe(900);
  });
});
