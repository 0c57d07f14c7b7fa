import fc from 'fast-check';
import { base64url } from 'jose';
import { describe, expect, it } from 'vitest';
import { importKeySet, MAX_KEYS, selectKeys } from './key-set.js';
import { localKeySource } from './local-key-source.js';
import { fixtureIssuer } from './mandate.fixture.js';
import { SIGNATURE_ALGORITHMS } from './signature.js';

const ALL = new Set<string>(SIGNATURE_ALGORITHMS);
const ec = (await fixtureIssuer('ES256')).jwk;
const ed = (await fixtureIssuer('EdDSA')).jwk;
const rsa = (await fixtureIssuer('RS256')).jwk;
const select = (keys: unknown[], algorithms: ReadonlySet<string> = ALL) => selectKeys({ keys }, algorithms);
const dropped = (key: unknown, algorithms = ALL) => select([key], algorithms).dropped[0];
const algorithm = (key: unknown, algorithms = ALL) => select([key], algorithms).keys[0]?.alg;

/** An RSA modulus of so many bits, odd or even. */
function modulus(bits: number, last = 0xff): string {
  const bytes = new Uint8Array(Math.ceil(bits / 8)).fill(0xff);
  bytes[0] = 0xff >> (bytes.length * 8 - bits);
  bytes[bytes.length - 1] = last;
  return base64url.encode(bytes);
}

describe('selectKeys', () => {
  it('keeps public P-256, Ed25519 and RSA keys, each for one algorithm', () => {
    expect(algorithm(ec)).toBe('ES256');
    expect(algorithm(ed)).toBe('EdDSA');
    expect(algorithm(rsa)).toBe('RS256');
    expect(algorithm({ ...rsa, alg: 'PS256' })).toBe('PS256');
    expect(algorithm({ ...ed, alg: 'Ed25519' })).toBe('EdDSA');
  });

  it('chooses the algorithm of a key without one by its type', () => {
    const { alg: _, ...bare } = rsa;
    expect(algorithm(bare)).toBe('RS256');
    expect(algorithm(bare, new Set(['PS256']))).toBe('PS256');
    expect(dropped(bare, new Set(['ES256']))).toBe('algorithm_not_allowed');
  });

  it('drops keys of other types, curves and algorithms', () => {
    for (const key of [
      { ...ec, alg: 'ES384' },
      { ...ec, crv: 'P-384' },
      { ...ec, kty: 'OKP' },
      { ...ed, crv: 'X25519' },
      { ...ed, alg: 'ES256' },
      { ...rsa, alg: 'RS512' },
      { ...rsa, alg: 'none' },
      { ...ec, kty: 'AKP' },
    ]) {
      expect(dropped(key)).toBe('algorithm_not_allowed');
    }
  });

  it('drops symmetric and private keys', () => {
    expect(dropped({ kty: 'oct', k: 'AAAA', kid: 'k', alg: 'HS256' })).toBe('symmetric');
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) {
      expect(dropped({ ...rsa, [member]: 'AAAA' })).toBe('private_members');
    }
  });

  it('drops keys that are for something else', () => {
    expect(dropped({ ...ec, use: 'enc' })).toBe('use_not_sig');
    expect(dropped({ ...ec, key_ops: ['encrypt'] })).toBe('key_ops_without_verify');
    expect(dropped({ ...ec, key_ops: 'verify' })).toBe('key_ops_without_verify');
    expect(algorithm({ ...ec, use: undefined, key_ops: ['verify'] })).toBe('ES256');
  });

  it('drops weak and malformed RSA keys', () => {
    for (const weak of [
      { n: modulus(2047) },
      { n: modulus(2048, 0xfe) },
      { n: modulus(8193) },
      { n: `AA${modulus(1024)}` },
      { n: '' },
      { n: undefined },
      { e: 'AQ' },
      { e: 'Ag' },
      { e: 'AQAA' },
      { e: 'AAE' },
      { e: '' },
      { e: 'AQAB=' },
      { e: modulus(72) },
    ]) {
      expect(dropped({ ...rsa, ...weak }), JSON.stringify(weak)).toBe('key_too_weak_or_malformed');
    }
    for (const e of ['Aw', 'AQAB']) expect(algorithm({ ...rsa, n: modulus(2048), e })).toBe('RS256');
  });

  it('drops points of the wrong length and keys without a kid', () => {
    expect(dropped({ ...ec, x: 'AAAA' })).toBe('key_too_weak_or_malformed');
    expect(dropped({ ...ec, y: 1 })).toBe('key_too_weak_or_malformed');
    for (const kid of [undefined, '', 1, 'k'.repeat(257)]) expect(dropped({ ...ec, kid })).toBe('kid_invalid');
  });

  it('uses no key whose kid occurs twice', () => {
    const { keys, dropped: reasons } = select([ec, { ...ed, kid: 'other' }, { ...rsa, kid: ec.kid }]);
    expect(keys.map(({ kid }) => kid)).toEqual(['other']);
    expect(reasons).toEqual(['kid_repeated', 'kid_repeated']);
    expect(select([ec, { kty: 'oct', kid: ec.kid }]).keys).toEqual([]);
  });

  it('uses at most so many keys', () => {
    const { keys, dropped: reasons } = select(
      Array.from({ length: MAX_KEYS + 2 }, (_, index) => ({ ...ec, kid: `k${index}` })),
    );
    expect(keys).toHaveLength(MAX_KEYS);
    expect(reasons).toEqual(['too_many', 'too_many']);
  });

  it('throws on what is no key set', () => {
    for (const value of [undefined, null, [], {}, { keys: {} }, 'x']) expect(() => selectKeys(value, ALL)).toThrow();
  });

  it('selects or drops any entry', () => {
    const member = fc.constantFrom('kty', 'crv', 'alg', 'use', 'key_ops', 'kid', 'x', 'y', 'n', 'e', '__proto__');
    const key = fc.tuple(fc.constantFrom(ec, ed, rsa), fc.dictionary(member, fc.jsonValue()));
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.jsonValue(),
            key.map(([base, more]) => ({ ...base, ...more })),
          ),
        ),
        (entries) => {
          const { keys, dropped: reasons } = select(entries);
          expect(keys.length + reasons.length).toBe(entries.length);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('importKeySet', () => {
  it('imports keys that can do nothing but verify', async () => {
    const set = await importKeySet(select([ec, { ...ed, kid: 'k2' }, { ...rsa, kid: 'k3' }]), 7, owner([]));
    expect(set.version).toBe(7);
    for (const kid of ['k1', 'k2', 'k3']) {
      expect(set.get(kid)?.key).toMatchObject({ type: 'public', extractable: false, usages: ['verify'] });
    }
    expect(set.get('k4')).toBeUndefined();
  });

  it('warns once of all it drops, a point off its curve too', async () => {
    const warnings: string[] = [];
    const offCurve = { ...ec, kid: 'off', y: ec.x };
    const set = await importKeySet(select([ec, offCurve, { kty: 'oct' }, { kty: 'oct' }]), 1, owner(warnings));
    expect(set.get('off')).toBeUndefined();
    expect(set.get('k1')).toBeDefined();
    expect(warnings).toEqual(['Keys of issuer https://i.example that are not used: 2 symmetric, 1 import_failed']);
  });
});

describe('localKeySource', () => {
  it('answers at once after the first time, and never another version', async () => {
    const source = localKeySource({ keys: [ec], algorithms: ALL, ...owner([]) });
    expect(source.version()).toBeUndefined();
    const set = await source.current();
    expect(source.current()).toBe(set);
    expect(source.refresh('other')).toBe(set);
    expect(source.version()).toBe(set.version);
  });

  it('refuses a list without a usable key at creation, and says why', () => {
    expect(() => localKeySource({ keys: [{ ...ec, d: 'AA' }], algorithms: ALL, ...owner([]) })).toThrow(
      /none of its keys is usable \(private_members\)/,
    );
    expect(() => localKeySource({ keys: [], algorithms: ALL, ...owner([]) })).toThrow(TypeError);
  });

  it('throws where no key can be imported', async () => {
    const source = localKeySource({ keys: [{ ...ec, y: ec.x }], algorithms: ALL, ...owner([]) });
    await expect(source.current()).rejects.toThrow('keys_not_importable');
  });
});

function owner(warnings: string[]) {
  return { issuer: 'https://i.example', onWarning: (message: string) => void warnings.push(message) };
}
