import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Denied } from '../denied.js';
import { type Form, parseForm } from '../http/form.js';
import { JWT_BEARER_ASSERTION } from '../oauth-names.js';
import { presentedCredentials } from './presented-credentials.js';

const form = (members: Record<string, string> = {}) => parseForm(new URLSearchParams(members).toString()) as Form;
const basic = (text: string) => `Basic ${btoa(text)}`;
const formEncoded = (text: string) => new URLSearchParams([[text, '']]).toString().slice(0, -1);
const errorOf = (authorization: string | null, members: Record<string, string>) => {
  const answer = presentedCredentials(authorization, form(members));
  return answer instanceof Denied ? answer.error : undefined;
};

describe('presentedCredentials', () => {
  it('reads Basic as RFC 6749 encodes it, for every id and secret', () => {
    const text = fc.string({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(text, text, (applicationId, secret) => {
        const authorization = basic(`${formEncoded(applicationId)}:${formEncoded(secret)}`);
        expect(presentedCredentials(authorization, form())).toEqual({
          method: 'client_secret_basic',
          applicationId,
          secret,
        });
      }),
      { numRuns: 200 },
    );
  });

  it('never throws, whatever the header holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(presentedCredentials(text, form())).toBeInstanceOf(Denied);
        presentedCredentials(`Basic ${text}`, form());
      }),
      { numRuns: 300 },
    );
  });

  it('reads a secret in the body, in both forms', () => {
    const post = form({ client_id: 'a', client_secret: 's' });
    expect(presentedCredentials(null, post)).toMatchObject({ method: 'client_secret_post', applicationId: 'a' });
    const caracal = form({ application_id: 'a', client_secret: 's' });
    expect(presentedCredentials(null, caracal)).toMatchObject({ method: 'caracal', applicationId: 'a' });
  });

  it('reads an assertion', () => {
    const members = { client_assertion: 'x.y.z', client_assertion_type: JWT_BEARER_ASSERTION };
    expect(presentedCredentials(null, form(members))).toEqual({
      method: 'private_key_jwt',
      applicationId: undefined,
      assertion: 'x.y.z',
    });
  });

  it('refuses more than one method', () => {
    const assertion = { client_assertion: 'x', client_assertion_type: JWT_BEARER_ASSERTION };
    expect(errorOf(basic('a:s'), { client_secret: 's' })).toBe('invalid_request');
    expect(errorOf(basic('a:s'), assertion)).toBe('invalid_request');
    expect(errorOf(null, { client_id: 'a', client_secret: 's', ...assertion })).toBe('invalid_request');
  });

  it('refuses another application in the body than the credentials name', () => {
    expect(errorOf(basic('a:s'), { client_id: 'b' })).toBe('invalid_request');
    expect(errorOf(basic('a:s'), { client_id: 'a' })).toBeUndefined();
    expect(errorOf(null, { client_id: 'a', application_id: 'a', client_secret: 's' })).toBe('invalid_request');
  });

  it('refuses none, other schemes, and what is too long or malformed', () => {
    expect(errorOf(null, { client_id: 'a' })).toBe('invalid_client');
    expect(errorOf(null, { client_secret: 's' })).toBe('invalid_client');
    expect(errorOf(null, { client_assertion: 'x' })).toBe('invalid_client');
    for (const header of ['Bearer x', 'Basic !', 'Basic', basic('nocolon'), basic(':s'), basic('a:'), basic('a:%')]) {
      expect(errorOf(header, {})).toBe('invalid_client');
    }
    expect(errorOf(basic(`a:${'s'.repeat(2_000)}`), {})).toBe('invalid_client');
  });
});
