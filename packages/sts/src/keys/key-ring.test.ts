import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { KeyRing } from './key-ring.js';
import { memorySigningKeyStore, type SigningKeyStore } from './signing-key.js';

const START = 1_800_000_000_000;

async function world(store: SigningKeyStore = memorySigningKeyStore()) {
  const time = { now: START };
  const options = {
    issuer: 'https://tokens.example',
    store,
    algorithm: 'ES256' as const,
    overlapSeconds: 100,
    now: () => time.now,
  };
  return { time, store, ring: await KeyRing.open(options), reopen: () => KeyRing.open(options) };
}

describe('KeyRing', () => {
  it('makes a key where there is none and finds it again', async () => {
    const { ring, reopen } = await world();
    expect(ring.jwks().keys).toHaveLength(1);
    expect((await reopen()).jwks()).toEqual(ring.jwks());
  });

  it('signs as at+jwt with a published key, of which nothing private is published', async () => {
    const { ring } = await world();
    const token = ring.sign({ iss: 'https://tokens.example' });
    const { protectedHeader } = await jwtVerify(token, createLocalJWKSet(ring.jwks()));
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: ring.jwks().keys[0]!.kid, typ: 'at+jwt' });
    expect(Object.keys(ring.jwks().keys[0]!).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  });

  it('signs with Ed25519 where it is asked to', async () => {
    const ring = await KeyRing.open({
      issuer: 'https://tokens.example',
      store: memorySigningKeyStore(),
      algorithm: 'EdDSA',
      overlapSeconds: 100,
      now: () => START,
    });
    const { protectedHeader } = await jwtVerify(ring.sign({ sub: 'ä' }), createLocalJWKSet(ring.jwks()));
    expect(protectedHeader.alg).toBe('EdDSA');
  });

  it('signs with the new key after a rotation and publishes the old one until the overlap is over', async () => {
    const { ring, time } = await world();
    const before = ring.sign({});
    const { version } =
      ring.keySource.version() === undefined ? { version: 0 } : { version: ring.keySource.version()! };
    await ring.rotate();
    const after = ring.sign({});
    expect(decodeProtectedHeader(after).kid).not.toBe(decodeProtectedHeader(before).kid);
    expect(ring.keySource.version()).toBe(version + 1);
    const keys = createLocalJWKSet(ring.jwks());
    for (const token of [before, after]) await jwtVerify(token, keys);
    time.now += 100_000;
    expect(ring.jwks().keys.map(({ kid }) => kid)).toEqual([decodeProtectedHeader(after).kid]);
    const kids = [before, after].map((token) => decodeProtectedHeader(token).kid!);
    expect(ring.keySource.version()).toBe(version + 2);
    expect(kids.map((kid) => ring.set.get(kid)?.kid)).toEqual([undefined, kids[1]]);
  });

  it('forgets the keys before at once where that is asked for', async () => {
    const { ring } = await world();
    const before = decodeProtectedHeader(ring.sign({})).kid!;
    await ring.rotate(false);
    expect(ring.jwks().keys).toHaveLength(1);
    expect(ring.set.get(before)).toBeUndefined();
  });

  it('forgets keys whose overlap is over when it rotates again', async () => {
    const { ring, time, store } = await world();
    await ring.rotate();
    time.now += 100_000;
    await ring.rotate();
    expect(await store.load()).toHaveLength(2);
  });

  it('rotates one after another and changes nothing where the store fails', async () => {
    const { ring, store } = await world();
    await Promise.all([ring.rotate(), ring.rotate()]);
    expect(ring.jwks().keys).toHaveLength(3);
    const before = ring.jwks();
    store.save = () => Promise.reject(new Error('disk full'));
    await expect(ring.rotate()).rejects.toThrow('disk full');
    expect(ring.jwks()).toEqual(before);
  });
});
