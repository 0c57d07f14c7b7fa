import { describe, expect, it } from 'vitest';
import type { OutboundRequest } from '../forward/outbound.js';
import { type IssuerOptions, trustedIssuers } from './issuers.js';
import { fixtureClock, fixtureIssuer } from './mandate.fixture.js';

const { jwk } = await fixtureIssuer();
const LOCAL: IssuerOptions = { issuer: 'https://i.example', keys: [jwk] };
const { keys: _, ...REMOTE } = { ...LOCAL, jwksUri: 'https://i.example/jwks' };

function trust(options: readonly unknown[], requests: OutboundRequest[] = []) {
  return trustedIssuers(options as IssuerOptions[], {
    outbound: {
      fetch: async (request) => {
        requests.push(request);
        throw new Error('not reached');
      },
    },
    clock: fixtureClock(),
    onWarning: () => {},
  });
}

describe('trustedIssuers', () => {
  it('fills in defaults', () => {
    expect(trust([LOCAL]).get('https://i.example')).toMatchObject({
      zoneId: 'default',
      profile: 'caracal',
      algorithms: new Set(['ES256', 'EdDSA']),
      types: new Set(['jwt', 'at+jwt']),
    });
    const rfc9068 = { ...LOCAL, profile: 'rfc9068' };
    expect(trust([rfc9068]).get('https://i.example')?.types).toEqual(new Set(['at+jwt']));
    const own = { ...rfc9068, types: ['Application/JWT', 'x+jwt'] };
    expect(trust([own]).get('https://i.example')?.types).toEqual(new Set(['jwt', 'x+jwt']));
  });

  it('refuses unknown options by name', () => {
    expect(() => trust([{ ...LOCAL, jwks_uri: 'x' }])).toThrow(/issuers\[0\]: unknown option jwks_uri/);
    expect(() => trust([{ ...LOCAL, profile: 'rfc9068', claims: { tenant: 'x' } }])).toThrow(
      /issuers\[0\]\.claims: unknown option tenant/,
    );
    const polluting = JSON.parse('{"issuer":"https://i.example","__proto__":{"keys":[]}}') as unknown;
    expect(() => trust([polluting])).toThrow(/unknown option __proto__/);
  });

  it('refuses one issuer listed twice', () => {
    expect(() => trust([LOCAL, { ...LOCAL, zone: 'other' }])).toThrow(/issuers\[1\].*listed twice/);
  });

  it('wants exactly one source of keys', () => {
    for (const options of [{ issuer: 'a' }, { ...LOCAL, jwksUri: 'https://i.example' }]) {
      expect(() => trust([options])).toThrow(/exactly one of jwksUri, keys and keySource/);
    }
    expect(() => trust([{ issuer: 'a', keySource: {} }])).toThrow(/keySource/);
    expect(() => trust([{ issuer: 'a', keys: 'x' }])).toThrow(/keys/);
  });

  it('refuses values that cannot be meant', () => {
    const wrong: Record<string, unknown>[] = [
      { issuer: '' },
      { issuer: 1 },
      { zone: 'a b' },
      { profile: 'other' },
      { algorithms: [] },
      { algorithms: ['HS256'] },
      { algorithms: ['none'] },
      { types: [] },
      { claims: { zone: 'tenant' } },
      { allowPrivateNetwork: true },
    ];
    for (const more of wrong) expect(() => trust([{ ...LOCAL, ...more }]), JSON.stringify(more)).toThrow(TypeError);
    expect(() => trust([null])).toThrow(TypeError);
  });

  it('fetches keys by https, and by http from loopback only', () => {
    for (const jwksUri of [
      'http://i.example/jwks',
      'http://127.0.0.1.i.example/jwks',
      'http://localhost.i.example/jwks',
      'ftp://i.example',
      '/jwks',
      'https://user@i.example/jwks',
      'https://i.example/jwks#a',
    ]) {
      expect(() => trust([{ ...REMOTE, jwksUri }]), jwksUri).toThrow(/jwksUri/);
    }
    for (const jwksUri of ['http://localhost:8080/jwks', 'http://127.0.0.1/jwks', 'http://[::1]:1/jwks']) {
      expect(trust([{ ...REMOTE, jwksUri }]).size).toBe(1);
    }
    expect(() => trustedIssuers([REMOTE], { outbound: undefined, clock: fixtureClock(), onWarning: () => {} })).toThrow(
      /outbound/,
    );
  });

  it('lets a loopback URL reach loopback, and another nothing private unless told', async () => {
    const cases: [Partial<IssuerOptions>, string, boolean][] = [
      [{ jwksUri: 'http://127.0.0.1/jwks' }, '127.0.0.1', true],
      [{ jwksUri: 'http://localhost/jwks', allowPrivateNetwork: ['10.0.0.0/8'] }, '::1', true],
      [{ jwksUri: 'http://localhost/jwks' }, '10.0.0.1', false],
      [{ jwksUri: 'https://i.example/jwks' }, '127.0.0.1', false],
      [{ jwksUri: 'https://i.example/jwks', allowPrivateNetwork: ['10.0.0.0/8'] }, '10.0.0.1', true],
      [{ jwksUri: 'https://i.example/jwks', allowPrivateNetwork: true }, '127.0.0.1', true],
      [{ jwksUri: 'https://i.example/jwks', allowPrivateNetwork: true }, '169.254.169.254', false],
    ];
    for (const [more, address, allowed] of cases) {
      const requests: OutboundRequest[] = [];
      const source = trust([{ ...REMOTE, ...more }], requests).get('https://i.example')!.keySource;
      await expect(Promise.resolve(source.current())).rejects.toThrow();
      expect(requests[0]!.addressPolicy.allows(address), `${more.jwksUri} ${address}`).toBe(allowed);
    }
  });
});
