import { describe, expect, it } from 'vitest';
import { CaracalError, Denial } from '../errors.js';
import { isPromise } from '../pipeline.js';
import { apiKey } from './api-key.js';
import { bearerToken } from './bearer-token.js';
import { attached, credentialRequest, denied } from './credential-request.fixture.js';
import { httpBasic } from './http-basic.js';
import { noCredential } from './no-credential.js';
import { presentedMandate } from './presented-mandate.js';
import type { Provider } from './provider.js';
import { Secret } from './secret.js';
import type { SecretStore } from './secret-store.js';

const REQUEST = credentialRequest({});
const id = 'provider://api';
const origins = ['https://api.example'];

function headersOf(provider: Provider) {
  return attached(provider.attach(REQUEST)).then(({ headers }) => headers);
}

/** One provider of each kind that has a secret of its own. */
function withSecret(secret: Secret): Provider[] {
  return [
    apiKey({ id, secret, headerName: 'X-Api-Key' }),
    apiKey({ id, secret, headerName: 'Authorization', scheme: 'Token' }),
    apiKey({ id, secret, queryParam: 'key' }),
    bearerToken({ id, secret }),
    httpBasic({ id, secret, username: 'user' }),
  ];
}

describe('noCredential', () => {
  it('attaches nothing', async () => {
    const provider = noCredential();
    expect(provider).toMatchObject({ id: 'none', kind: 'none', origins: undefined, headerNames: [], renewable: false });
    expect(await headersOf(provider)).toEqual([]);
    expect((await attached(provider.attach(REQUEST))).query).toBeUndefined();
    expect(noCredential('provider://open').id).toBe('provider://open');
    expect(() => noCredential('')).toThrow(TypeError);
  });
});

describe('presentedMandate', () => {
  const provider = presentedMandate({ id });

  it('hands on a mandate whose one audience is the resource', async () => {
    const credential = await attached(provider.attach(credentialRequest({ token: 'e30.e30.abc' })));
    expect(credential.headers).toEqual(['Authorization', 'Bearer e30.e30.abc']);
    expect(credential.secrets).toEqual(['e30.e30.abc']);
    expect(provider).toMatchObject({ kind: 'caracal_mandate', headerNames: ['authorization'] });
  });

  it('keeps back every other mandate', async () => {
    const refusal = 'credential_unavailable mandate_not_for_resource';
    for (const audience of [
      [],
      ['https://issuer.example'],
      ['resource://api/'],
      ['RESOURCE://api'],
      ['resource://api', 'resource://api'],
      ['resource://api', 'resource://other'],
    ]) {
      expect(await denied(provider.attach(credentialRequest({ audience })))).toBe(refusal);
    }
  });

  it('sends nothing in place of a mandate that is no token', async () => {
    for (const token of ['', 'a b', 'a\r\nX: y', undefined]) {
      const request = { ...credentialRequest({}), token: token as string };
      expect(await denied(provider.attach(request))).toBe('credential_unavailable mandate_not_token');
    }
  });
});

describe('apiKey', () => {
  const secret = new Secret('k3y');

  it('attaches the key in a header, after a scheme where there is one', async () => {
    const plain = apiKey({ id, secret, headerName: 'X-Api-Key', origins });
    expect(await headersOf(plain)).toEqual(['X-Api-Key', 'k3y']);
    expect(plain).toMatchObject({ kind: 'api_key', origins, headerNames: ['x-api-key'], renewable: false });
    const schemed = apiKey({ id, secret, headerName: 'Authorization', scheme: 'Token' });
    expect(await headersOf(schemed)).toEqual(['Authorization', 'Token k3y']);
  });

  it('attaches the key in the query, where everything but unreserved characters is escaped', async () => {
    const provider = apiKey({ id, secret: new Secret("a&b=c #+/%!'()*é\u{1f511}"), queryParam: 'api key[]' });
    const credential = await attached(provider.attach(REQUEST));
    expect(credential.query).toEqual({
      name: 'api%20key%5B%5D',
      value: 'a%26b%3Dc%20%23%2B%2F%25%21%27%28%29%2A%C3%A9%F0%9F%94%91',
    });
    expect(credential.headers).toEqual([]);
    expect(credential.secrets).toEqual(["a&b=c #+/%!'()*é\u{1f511}"]);
    expect(provider.headerNames).toEqual([]);
  });

  it('takes either a header or a query parameter', () => {
    expect(() => apiKey({ id, secret })).toThrow('give either headerName or queryParam');
    expect(() => apiKey({ id, secret, headerName: 'X-Api-Key', queryParam: 'key' })).toThrow('give either');
    expect(() => apiKey({ id, secret, queryParam: 'key', scheme: 'Token' })).toThrow('scheme goes with headerName');
    for (const queryParam of ['', 'a\nb', '\ud800', 'x'.repeat(129)]) {
      expect(() => apiKey({ id, secret, queryParam })).toThrow('queryParam is a text');
    }
  });
});

describe('bearerToken', () => {
  it('attaches the token in Authorization, or in the header and scheme it is told', async () => {
    const secret = new Secret('t0ken');
    expect(await headersOf(bearerToken({ id, secret }))).toEqual(['Authorization', 'Bearer t0ken']);
    const other = bearerToken({ id, secret, headerName: 'X-Auth', scheme: 'Token' });
    expect(await headersOf(other)).toEqual(['X-Auth', 'Token t0ken']);
    expect(other).toMatchObject({ kind: 'bearer_token', headerNames: ['x-auth'] });
  });

  it('does not send a token that was pasted with its scheme', async () => {
    const provider = bearerToken({ id, secret: new Secret('Bearer t0ken') });
    expect(await denied(provider.attach(REQUEST))).toBe('credential_unavailable secret_not_token');
  });
});

describe('httpBasic', () => {
  it('attaches user name and password as UTF-8, and counts the pair among its secrets', async () => {
    // RFC 7617 section 2.1.
    const provider = httpBasic({ id, username: 'test', secret: new Secret('123\u00a3') });
    const credential = await attached(provider.attach(REQUEST));
    expect(credential.headers).toEqual(['Authorization', 'Basic dGVzdDoxMjPCow==']);
    expect(credential.secrets).toEqual(['123\u00a3', 'dGVzdDoxMjPCow==']);
    expect(provider).toMatchObject({ kind: 'http_basic', headerNames: ['authorization'] });
  });

  it('takes an empty user name and a password with colons', async () => {
    expect(await headersOf(httpBasic({ id, username: '', secret: new Secret('a:b') }))).toEqual([
      'Authorization',
      `Basic ${btoa(':a:b')}`,
    ]);
  });

  it('refuses user names that would change the pair', () => {
    for (const username of ['a:b', 'a\nb', '\u0000', '\ud800', undefined as unknown as string]) {
      expect(() => httpBasic({ id, username, secret: new Secret('x') })).toThrow('httpBasic: username');
    }
  });
});

describe('every provider with a secret', () => {
  it('makes one frozen credential for one secret, synchronously', () => {
    for (const provider of withSecret(new Secret('k3y'))) {
      const first = provider.attach(REQUEST);
      if (isPromise(first) || first instanceof Denial) throw new Error('not a credential');
      expect(provider.attach(credentialRequest({ zoneId: 'other' }))).toBe(first);
      for (const part of [provider, first, first.headers, first.secrets]) expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('sends nothing for a secret with control characters', async () => {
    for (const text of ['k3y\n', 'k3y\r\nX-Injected: 1', 'k\u00003y', 'k\u007fy', 'k\u0085y', '\tk3y']) {
      for (const provider of withSecret(new Secret(text))) {
        expect(await denied(provider.attach(REQUEST))).toBe('credential_unavailable secret_has_control_characters');
      }
    }
  });

  it('sends nothing for a secret that is too long or not well-formed', async () => {
    for (const provider of withSecret(new Secret('x'.repeat(8_193)))) {
      expect(await denied(provider.attach(REQUEST))).toBe('credential_unavailable secret_too_long');
    }
    for (const provider of withSecret(new Secret('\udc00'))) {
      expect(await denied(provider.attach(REQUEST))).toBe('credential_unavailable secret_not_well_formed');
    }
  });

  it('sends nothing in a header that its reader would see as something else', async () => {
    for (const text of [' k3y', 'k3y ', 'kéy', '\u{1f511}']) {
      const provider = apiKey({ id, secret: new Secret(text), headerName: 'X-Api-Key' });
      expect(await denied(provider.attach(REQUEST))).toBe('credential_unavailable secret_not_header_value');
    }
  });

  it('sends nothing like `Bearer undefined` whatever a store answers', async () => {
    for (const answer of [undefined, null, '', 'text', {}, { reveal: () => 'text' }]) {
      for (const open of [() => answer, async () => answer]) {
        const secrets = { open } as unknown as SecretStore;
        for (const provider of [
          apiKey({ id, secret: { env: 'KEY' }, secrets, headerName: 'X-Api-Key' }),
          apiKey({ id, secret: { env: 'KEY' }, secrets, queryParam: 'key' }),
          bearerToken({ id, secret: { env: 'KEY' }, secrets }),
          httpBasic({ id, secret: { env: 'KEY' }, secrets, username: 'user' }),
        ]) {
          expect(await denied(provider.attach(REQUEST))).toBe('credential_unavailable secret_store_answer_invalid');
        }
      }
    }
  });

  it('has the same credential after a 401, because nothing it can do would change it', async () => {
    for (const provider of withSecret(new Secret('k3y'))) {
      const credential = await attached(provider.attach(REQUEST));
      expect(await provider.renew(REQUEST, credential)).toBe(credential);
    }
  });

  it('shows its secret in no text', () => {
    for (const provider of withSecret(new Secret('s3cret-text'))) {
      void provider.attach(REQUEST); // synchronous for a secret in hand: makes the credential
      expect(JSON.stringify(provider)).not.toContain('s3cret-text');
    }
  });

  it('refuses unknown options by name', () => {
    const secret = new Secret('k3y');
    expect(() => apiKey({ id, secret, header: 'X' } as never)).toThrow('apiKey: unknown option header');
    expect(() => bearerToken({ id, secret, token: 'x' } as never)).toThrow('bearerToken: unknown option token');
    expect(() => httpBasic({ id, secret, username: 'a', password: 'x' } as never)).toThrow('unknown option password');
    expect(() => presentedMandate({ id, secret } as never)).toThrow('presentedMandate: unknown option secret');
  });
});

describe('a secret by reference', () => {
  function storeOf(open: SecretStore['open']): SecretStore {
    return { open };
  }

  it('needs a store, and is one of the known kinds', () => {
    expect(() => bearerToken({ id, secret: { env: 'KEY' } })).toThrow('needs secrets: a SecretStore');
    const secrets = storeOf(() => new Secret('x'));
    for (const secret of [
      {},
      { env: '' },
      { env: 'A', file: 'B' },
      { vault: 'x' },
      JSON.parse('{"__proto__":"x"}'),
      null,
      undefined,
      5,
    ]) {
      expect(() => bearerToken({ id, secret: secret as never, secrets })).toThrow('bearerToken: secret is a Secret');
    }
  });

  it('is never a plain text, which is not quoted', () => {
    const secret = 'pl41n' as unknown as Secret;
    expect(() => bearerToken({ id, secret })).toThrow('secret is a plain text; wrap it');
    expect(() => bearerToken({ id, secret })).not.toThrow(/pl41n/);
  });

  it('is opened for the zone of the resource, this provider, its field and its origins', async () => {
    const asked: unknown[] = [];
    const secrets = storeOf((reference, binding) => {
      asked.push({ reference, binding });
      return new Secret('x');
    });
    const provider = bearerToken({ id, secret: { sealed: 'v1' }, secrets, origins: ['https://A.example/'] });
    for (const zoneId of ['one', 'two']) await provider.attach(credentialRequest({ zoneId }));
    expect(asked).toEqual(
      ['one', 'two'].map((zoneId) => ({
        reference: { sealed: 'v1' },
        binding: { zoneId, providerId: id, field: 'secret', origins: ['https://a.example'] },
      })),
    );
  });

  it('gives one credential as long as the store answers one secret, and another for another', async () => {
    let current = new Secret('first');
    const provider = bearerToken({ id, secret: { file: '/token' }, secrets: storeOf(() => current) });
    const first = provider.attach(REQUEST);
    expect(provider.attach(REQUEST)).toBe(first);
    current = new Secret('second');
    expect(await headersOf(provider)).toEqual(['Authorization', 'Bearer second']);
  });

  it('recovers when its secret can be had again', async () => {
    let broken = true;
    const secrets = storeOf(() => {
      if (broken) throw new Error('no such file');
      return new Secret('x');
    });
    const provider = bearerToken({ id, secret: { file: '/token' }, secrets });
    expect(await denied(provider.attach(REQUEST))).toBe('credential_unavailable secret_not_available');
    broken = false;
    expect(await headersOf(provider)).toEqual(['Authorization', 'Bearer x']);
  });

  it('is unavailable with the store’s reason where that is known', async () => {
    const known = new CaracalError('credential_unavailable', 'sealing_key_unknown');
    for (const [cause, reason] of [
      [known, 'sealing_key_unknown'],
      [new CaracalError('internal_error', 'other'), 'secret_not_available'],
      [new Error('ENOENT /etc/secret'), 'secret_not_available'],
    ] as const) {
      for (const open of [() => Promise.reject(cause), () => throwing(cause)]) {
        const provider = bearerToken({ id, secret: { env: 'KEY' }, secrets: storeOf(open) });
        const denial = await provider.attach(REQUEST);
        expect(denial).toMatchObject({ code: 'credential_unavailable', reason, members: { cause } });
      }
    }
  });
});

function throwing(cause: unknown): never {
  throw cause;
}
