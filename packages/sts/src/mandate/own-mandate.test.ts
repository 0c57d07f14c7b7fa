import { memoryRevocationStore } from '@caracal/core';
import { generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { KeyRing } from '../keys/key-ring.js';
import { memorySigningKeyStore } from '../keys/signing-key.js';
import type { MandateClaims } from './mandate-claims.js';
import { mandateLife } from './mandate-life.js';
import { isRevoked, revocationOf, verifyOwnMandate } from './own-mandate.js';

const ISSUER = 'https://tokens.example';
const NOW = 1_800_000_000;

const claims = (changes: object = {}): MandateClaims => ({
  iss: ISSUER,
  sub: 'agent',
  aud: ISSUER,
  exp: NOW + 60,
  iat: NOW,
  jti: 'j',
  zone_id: 'z',
  client_id: 'agent',
  scope: 'read',
  use: 'session',
  sub_type: 'application',
  sid: 's',
  root_sid: 's',
  ...changes,
});

async function world() {
  const options = { algorithm: 'ES256' as const, overlapSeconds: 1, now: () => NOW * 1000 };
  const ring = await KeyRing.open({ issuer: ISSUER, store: memorySigningKeyStore(), ...options });
  const verify = (token: string, zone = 'z') =>
    verifyOwnMandate(token, { issuer: ISSUER, zone, keys: ring.set, nowMs: NOW * 1000 });
  return { ring, verify, signed: async (changes: object) => verify(await ring.sign(claims(changes))) };
}

describe('verifyOwnMandate', () => {
  it('reads what this issuer signed', async () => {
    const { signed } = await world();
    expect(await signed({})).toEqual(claims());
    const gateway = { use: 'gateway', target: ['r:a'], agent_session_id: 'as' };
    expect(await signed(gateway)).toEqual(claims(gateway));
  });

  it('refuses another key under the same kid, another type, and another zone', async () => {
    const { ring, verify } = await world();
    const { kid } = ring.jwks().keys[0]!;
    const { privateKey } = await generateKeyPair('ES256');
    const forged = new SignJWT({ ...claims() }).setProtectedHeader({ alg: 'ES256', kid: kid!, typ: 'at+jwt' });
    expect(await verify(await forged.sign(privateKey))).toBe('signature_invalid');
    expect(await verify(await ring.sign(claims()), 'other')).toBe('zone_mismatch');
    for (const token of ['', 'x.y.z', `${await ring.sign(claims())}=`, 'x'.repeat(9_000)]) {
      expect(typeof (await verify(token))).toBe('string');
    }
  });

  it.each([
    ['of another issuer', { iss: 'https://other.example' }, 'issuer_mismatch'],
    ['that is over', { iat: NOW - 60, exp: NOW }, 'expired'],
    ['of a use that is not known', { use: 'admin' }, 'use_unknown'],
    ['of a use without its targets', { use: 'gateway' }, 'target_mismatch'],
    ['of a session with targets', { target: ['r:a'] }, 'target_mismatch'],
    ['for another audience', { aud: 'r:a' }, 'audience_mismatch'],
    ['of a user', { sub_type: 'user' }, 'subject_type_unknown'],
    ['that was delegated', { delegation_edge_id: 'e' }, 'claim_not_known'],
    ['bound to a key', { cnf: { jkt: 'x' } }, 'claim_not_known'],
    ['without a session', { sid: undefined }, 'claim_malformed'],
    ['with a malformed scope', { scope: 'a  b' }, 'claim_malformed'],
  ])('refuses a mandate %s, though the signature is right', async (_name, changes, reason) => {
    expect(await (await world()).signed(changes)).toBe(reason);
  });
});

describe('revoking a mandate', () => {
  it("means the session for the session's own mandates, and else the mandate alone", () => {
    expect(revocationOf(claims())).toMatchObject({ kind: 'sid', id: 's' });
    expect(revocationOf(claims({ use: 'gateway', jti: 's' }))).toMatchObject({ kind: 'sid', id: 's' });
    expect(revocationOf(claims({ use: 'gateway' }))).toMatchObject({ kind: 'jti', id: 'j' });
  });

  it.each(['sid', 'root_sid', 'agent_session_id', 'jti', 'client_id', 'sub'] as const)(
    'can be by its %s',
    async (kind) => {
      const revocations = memoryRevocationStore();
      const mandate = claims({ agent_session_id: 'as', root_sid: 'root' });
      expect(isRevoked(mandate, revocations)).toBe(false);
      await revocations.revoke({ zoneId: 'z', issuer: ISSUER, kind, id: mandate[kind]! });
      expect(isRevoked(mandate, revocations)).toBe(true);
    },
  );
});

describe('mandateLife', () => {
  it('is what was asked for, within the bound of its use', () => {
    const life = (use: 'session' | 'gateway', ttl?: number) => mandateLife(use, ttl, undefined, NOW * 1000 + 999);
    expect(life('session')).toEqual({ iat: NOW, exp: NOW + 900 });
    expect(life('session', 9_999)).toEqual({ iat: NOW, exp: NOW + 3_600 });
    expect(life('gateway', 9_999)).toEqual({ iat: NOW, exp: NOW + 900 });
    expect(life('gateway', 1)).toEqual({ iat: NOW, exp: NOW + 1 });
  });

  it("never exceeds the subject's", () => {
    expect(mandateLife('gateway', 900, claims({ exp: NOW + 5 }), NOW * 1000)).toEqual({ iat: NOW, exp: NOW + 5 });
    expect(mandateLife('gateway', 900, claims({ exp: NOW }), NOW * 1000)).toBeUndefined();
  });
});
