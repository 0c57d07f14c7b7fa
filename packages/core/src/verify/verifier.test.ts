import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Denial } from '../errors.js';
import { isPromise } from '../pipeline.js';
import type { KeySet, KeySource } from './key-source.js';
import { localKeySource } from './local-key-source.js';
import { deferred, fixtureClock, fixtureIssuer, gatewayClaims, ISSUER, NOW } from './mandate.fixture.js';
import type { VerifiedMandate } from './mandate-cache.js';
import { MAX_FAILURES_PER_SECOND } from './verification-budget.js';
import { createVerifier, MAX_PENDING_MANDATES, type VerifierOptions } from './verifier.js';

const issuer = await fixtureIssuer();
const stranger = await fixtureIssuer();
const valid = await issuer.sign(gatewayClaims());
const PEER = '192.0.2.1';

afterEach(() => {
  vi.restoreAllMocks();
});

function setup(more: Partial<VerifierOptions> = {}) {
  const clock = fixtureClock();
  const verifier = createVerifier({ issuers: [{ issuer: ISSUER, keys: [issuer.jwk] }], clock, ...more });
  const verify = async (token: string, peer = PEER) => verifier.verify(`Bearer ${token}`, peer);
  const reason = async (token: string, peer = PEER) => {
    const verdict = await verify(token, peer);
    return verdict instanceof Denial ? `${verdict.code} ${verdict.reason}` : 'verified';
  };
  return { clock, verifier, verify, reason };
}

function accepted(verdict: VerifiedMandate | Denial): VerifiedMandate {
  if (verdict instanceof Denial) throw new Error(verdict.reason);
  return verdict;
}

/** A key source whose set the test changes. */
function changingSource(): KeySource & { set: KeySet } {
  const source: KeySource & { set: KeySet } = {
    set: { version: 1, get: () => undefined },
    current: () => source.set,
    refresh: () => source.set,
    version: () => source.set.version,
  };
  return source;
}

async function imported(): Promise<KeySet> {
  return localKeySource({
    keys: [issuer.jwk],
    algorithms: new Set(['ES256']),
    issuer: ISSUER,
    onWarning: () => {},
  }).current();
}

describe('verify', () => {
  it('accepts a mandate of a trusted issuer', async () => {
    const { verify } = setup();
    expect(accepted(await verify(valid))).toMatchObject({ token: valid, mandate: { applicationId: 'billing-agent' } });
  });

  it('accepts every algorithm the issuer may use', async () => {
    for (const alg of ['ES256', 'EdDSA', 'RS256', 'PS256'] as const) {
      const signer = await fixtureIssuer(alg);
      const { reason } = setup({ issuers: [{ issuer: ISSUER, keys: [signer.jwk], algorithms: [alg] }] });
      expect(await reason(await signer.sign(gatewayClaims()))).toBe('verified');
    }
  });

  it('answers a mandate it has seen synchronously, with the same object', async () => {
    const { verify, verifier } = setup();
    const verified = await verify(valid);
    const again = verifier.verify(`bearer  ${valid}`, PEER);
    expect(isPromise(again)).toBe(false);
    expect(again).toBe(verified);
  });

  it('verifies a mandate once for all who present it at the same time', async () => {
    const { verifier } = setup();
    const verifying = vi.spyOn(crypto.subtle, 'verify');
    const verdicts = await Promise.all(Array.from({ length: 200 }, () => verifier.verify(`Bearer ${valid}`, PEER)));
    expect(new Set(verdicts).size).toBe(1);
    expect(verifying).toHaveBeenCalledTimes(1);
  });

  it('verifies anew what it was told to forget', async () => {
    const { verify, verifier } = setup();
    const verifying = vi.spyOn(crypto.subtle, 'verify');
    const verified = accepted(await verify(valid));
    await verify(valid);
    verifier.forget(verified);
    expect(accepted(await verify(valid))).toEqual(verified);
    expect(verifying).toHaveBeenCalledTimes(2);
  });

  it('tells a missing mandate from a bad one', async () => {
    const { verifier, reason } = setup();
    expect(verifier.verify(undefined, PEER)).toMatchObject({ code: 'missing_token' });
    expect(verifier.verify('Basic YTpi', PEER)).toMatchObject({ code: 'missing_token' });
    expect(await reason('a.b')).toBe('invalid_token segment_count');
    expect(await reason('a,b')).toBe('invalid_token token_characters');
  });

  it('refuses what another key signed, and what nobody signed', async () => {
    const { reason } = setup();
    expect(await reason(await stranger.sign(gatewayClaims()))).toBe('invalid_token signature_invalid');
    expect(await reason(`${valid.slice(0, valid.lastIndexOf('.'))}.`)).toBe('invalid_token signature_invalid');
    const none = await issuer.sign(gatewayClaims(), { alg: 'none', kid: 'k1', typ: 'at+jwt' });
    expect(await reason(none)).toBe('invalid_token alg_not_allowed');
  });

  it('refuses issuers it does not know, and keys their issuer does not have', async () => {
    const { reason } = setup();
    for (const iss of ['https://evil.example', undefined, 1, ['a'], '__proto__']) {
      expect(await reason(await issuer.sign(gatewayClaims({ iss })))).toBe('invalid_token issuer_unknown');
    }
    const unknown = await issuer.sign(gatewayClaims(), { alg: 'ES256', kid: 'k2', typ: 'at+jwt' });
    expect(await reason(unknown)).toBe('invalid_token key_unknown');
  });

  it('refuses an algorithm that is not the key’s', async () => {
    const { reason } = setup();
    const claimed = await issuer.sign(gatewayClaims(), { alg: 'EdDSA', kid: 'k1', typ: 'at+jwt' });
    expect(await reason(claimed)).toBe('invalid_token alg_not_of_key');
  });

  it('keeps issuers apart: one cannot speak for another', async () => {
    const { reason } = setup({
      issuers: [
        { issuer: ISSUER, keys: [issuer.jwk] },
        { issuer: 'https://other.example', keys: [stranger.jwk], zone: 'other' },
      ],
    });
    expect(await reason(await stranger.sign(gatewayClaims()))).toBe('invalid_token signature_invalid');
    const other = { iss: 'https://other.example', aud: 'https://other.example' };
    expect(await reason(await stranger.sign(gatewayClaims(other)))).toBe('invalid_token zone_mismatch');
    expect(await reason(await stranger.sign(gatewayClaims({ ...other, zone_id: 'other' })))).toBe('verified');
  });

  it('accepts no mandate with any character changed', async () => {
    const { verify } = setup();
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/~';
    const position = fc.nat(valid.length - 1);
    await fc.assert(
      fc.asyncProperty(position, fc.constantFrom(...alphabet), fc.boolean(), async (at, char, insert) => {
        const changed = valid.slice(0, at) + char + valid.slice(insert ? at : at + 1);
        fc.pre(changed !== valid);
        expect(await verify(changed, `${at}${char}${insert}`)).toBeInstanceOf(Denial);
      }),
      { numRuns: 400 },
    );
  });

  it('answers any signed payload with a verdict', async () => {
    const { verify } = setup();
    const payload = fc.oneof(
      fc.json(),
      fc.dictionary(fc.string(), fc.jsonValue()).map((more) => gatewayClaims(more)),
    );
    await fc.assert(
      fc.asyncProperty(payload, async (claims) => {
        const verdict = await verify(await issuer.sign(claims));
        if (verdict instanceof Denial) expect(verdict.code).toMatch(/^(invalid_token|overloaded)$/);
      }),
      { numRuns: 150 },
    );
  });
});

describe('the cache', () => {
  it('forgets a verdict with the key set it rests on', async () => {
    const keySource = changingSource();
    keySource.set = await imported();
    const { reason } = setup({ issuers: [{ issuer: ISSUER, keySource }] });
    expect(await reason(valid)).toBe('verified');
    keySource.set = { version: 2, get: () => undefined };
    expect(await reason(valid)).toBe('invalid_token key_unknown');
  });

  it('ends a mandate at exp by the wall clock', async () => {
    const { verify, reason, clock, verifier } = setup();
    const { mandate } = accepted(await verify(valid));
    clock.wallMs = (NOW + 900) * 1000 - 1;
    expect(verifier.expired(mandate)).toBe(false);
    clock.wallMs += 1;
    expect(verifier.expired(mandate)).toBe(true);
    expect(await reason(valid)).toBe('invalid_token expired');
  });

  it('revives no mandate when the wall clock is set back', async () => {
    const { verify, reason, clock, verifier } = setup();
    const { mandate } = accepted(await verify(valid));
    clock.monotonicMs += 900_000 - 1;
    expect(await reason(valid)).toBe('verified');
    clock.monotonicMs += 1;
    expect(verifier.expired(mandate)).toBe(true);
    expect(await reason(valid)).toBe('invalid_token expired');
    expect(await reason(valid)).toBe('invalid_token expired');
  });

  it('is bounded', async () => {
    const { verify } = setup({ cacheEntries: 1 });
    const other = await issuer.sign(gatewayClaims({ jti: 'jti-2' }));
    const verified = await verify(valid);
    await verify(other);
    const again = await verify(valid);
    expect(again).toEqual(verified);
    expect(again).not.toBe(verified);
    expect(() => setup({ cacheEntries: 0 })).toThrow(/cacheEntries/);
  });
});

describe('faults and limits', () => {
  it('answers issuer_unavailable where keys cannot be had, and holds it against nobody', async () => {
    const failing: KeySource = {
      current: () => Promise.reject(new Error('down')),
      refresh: () => Promise.reject(new Error('down')),
      version: () => undefined,
    };
    const { reason } = setup({ issuers: [{ issuer: ISSUER, keySource: failing }] });
    for (let i = 0; i <= MAX_FAILURES_PER_SECOND; i++) expect(await reason(valid)).toBe('issuer_unavailable failed');
    const unknownKid: KeySource = { ...failing, current: () => ({ version: 1, get: () => undefined }) };
    const second = setup({ issuers: [{ issuer: ISSUER, keySource: unknownKid }] });
    expect(await second.reason(valid)).toBe('issuer_unavailable failed');
  });

  it('does not show a failing runtime as the fault of the mandate', async () => {
    const { verify, reason } = setup();
    const cause = new Error('no entropy');
    vi.spyOn(crypto.subtle, 'verify').mockRejectedValueOnce(cause);
    expect(await verify(valid)).toMatchObject({ code: 'internal_error', members: { cause } });
    expect(await reason(valid)).toBe('verified');
  });

  it('refuses a peer after too many failures in a second, but not its cached mandates', async () => {
    const { reason, clock } = setup();
    expect(await reason(valid)).toBe('verified');
    for (let i = 0; i < MAX_FAILURES_PER_SECOND; i++) expect(await reason(`a.b${i}`)).toMatch('segment_count');
    expect(await reason('a.b')).toBe('overloaded peer_failures');
    expect(await reason(valid)).toBe('verified');
    expect(await reason('a.b', '192.0.2.2')).toMatch('segment_count');
    clock.pass(1_000);
    expect(await reason('a.b')).toMatch('segment_count');
  });

  it('counts a forged mandate for each request that presents it, those too that wait for one verification', async () => {
    const forged = await stranger.sign(gatewayClaims());
    const { reason } = setup();
    const verifications = vi.spyOn(crypto.subtle, 'verify');
    const reasons = await Promise.all(Array.from({ length: MAX_FAILURES_PER_SECOND }, () => reason(forged)));
    expect(new Set(reasons)).toEqual(new Set(['invalid_token signature_invalid']));
    expect(verifications).toHaveBeenCalledTimes(1);
    expect(await reason(forged)).toBe('overloaded peer_failures');
    expect(await reason(valid)).toBe('overloaded peer_failures');
    expect(await reason(valid, '192.0.2.2')).toBe('verified');
    expect(await reason(valid)).toBe('verified'); // in the cache now
  });

  it('refuses more different mandates than may wait at once', async () => {
    const waiting = deferred<KeySet>();
    const keySource: KeySource = { current: () => waiting.promise, refresh: () => waiting.promise, version: () => 1 };
    const { verifier, reason } = setup({ issuers: [{ issuer: ISSUER, keySource }] });
    const [head, payload] = valid.split('.');
    const pending = Array.from({ length: MAX_PENDING_MANDATES }, (_, index) =>
      verifier.verify(`Bearer ${head}.${payload}.${String(index).padStart(4, '0')}`, `peer ${index}`),
    );
    expect(await reason(valid)).toBe('overloaded pending_mandates');
    waiting.resolve({ version: 1, get: () => undefined });
    expect(await Promise.all(pending)).toEqual(pending.map(() => expect.objectContaining({ reason: 'key_unknown' })));
    expect(await reason(valid)).toBe('invalid_token key_unknown');
  });
});
