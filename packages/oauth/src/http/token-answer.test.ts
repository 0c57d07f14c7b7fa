import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OAuthFault } from '../oauth-fault.js';
import { conformAnswer, lifetimeSeconds, printable } from './token-answer.js';

const QUIRKS = { member: undefined, keepIdToken: false, secrets: ['client-secret-canary'] };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function answered(
  document: unknown,
  { status = 200, headers = [] as string[], member = undefined as string | undefined } = {},
) {
  const body = bytes(typeof document === 'string' ? document : JSON.stringify(document));
  return conformAnswer({ status, headers, body }, { ...QUIRKS, member });
}

function fault(...of: Parameters<typeof answered>): OAuthFault {
  try {
    answered(...of);
  } catch (cause) {
    if (cause instanceof OAuthFault) return cause;
    throw cause;
  }
  throw new Error('no fault');
}

describe('lifetimeSeconds', () => {
  it.each([
    [3600, 3600],
    ['3600', 3600],
    [' 3599.9 ', 3599],
    [1e300, 31_536_000],
    ['999999999999', 31_536_000],
    [0, undefined],
    [-5, undefined],
    ['-5', undefined],
    [0.5, undefined],
    ['soon', undefined],
    ['1e9', undefined],
    ['0x10', undefined],
    ['', undefined],
    [null, undefined],
    [true, undefined],
    [[3600], undefined],
    [{}, undefined],
    [undefined, undefined],
  ])('of %j is %j', (value, seconds) => {
    expect(lifetimeSeconds(value)).toBe(seconds);
  });

  it('is a whole number of seconds between one and a year, or nothing, whatever it is given', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const seconds = lifetimeSeconds(value);
        expect(seconds === undefined || (Number.isInteger(seconds) && seconds >= 1 && seconds <= 31_536_000)).toBe(
          true,
        );
      }),
    );
  });
});

describe('conformAnswer', () => {
  it('takes JSON by its content, keeps what the RFC names, and nothing else', async () => {
    const text =
      '{"access_token":"t","token_type":"Bearer","expires_in":"60","id_token":"x","__proto__":{"scope":"all"},"odd":1}';
    expect(await answered(text).json()).toEqual({ access_token: 't', token_type: 'Bearer', expires_in: 60 });
  });

  it('makes faults of refusals, whatever status they come with', () => {
    expect(fault({ error: 'invalid_grant' }, { status: 400 }).reason).toBe('token_endpoint_invalid_grant');
    expect(fault({ ok: false, error: 'invalid_refresh_token' }).reason).toBe('token_endpoint_invalid_grant');
    expect(fault({ error: 'bad_verification_code' }).reason).toBe('token_endpoint_invalid_grant');
    expect(fault({ error: 'something of a vendor' }, { status: 400 }).reason).toBe('token_endpoint_refused');
    expect(fault('<html>', { status: 502 }).reason).toBe('token_endpoint_server_error');
    expect(fault('', { status: 302 }).reason).toBe('token_endpoint_redirects');
    expect(fault('<html>').reason).toBe('token_answer_not_json');
    expect(fault('[]').reason).toBe('token_answer_not_json');
    expect(fault({}, { status: 429, headers: ['retry-after', '7'] })).toMatchObject({
      reason: 'token_endpoint_rate_limited',
      retryAfterMs: 7_000,
    });
    expect(fault({}, { status: 503, headers: ['Retry-After', '999999'] }).retryAfterMs).toBe(60_000);
  });

  it('tells an operator what the server said, without secrets, tokens or control characters', () => {
    const said = fault(
      {
        error: 'invalid_client',
        error_description: `no client-secret-canary \u001b[31m eyJ${'a'.repeat(50)}.x \u202e`,
      },
      { status: 401 },
    );
    expect(said.explanation).toBe('status 401: invalid_client: no [secret]  [31m [...]  ');
    expect(`${said.message}${said.stack}${said.cause}`).not.toContain('canary');
  });

  it('looks one member down where it is told to, and at the top where that is missing', async () => {
    const nested = {
      ok: true,
      access_token: 'bot',
      token_type: 'bot',
      authed_user: { access_token: 'user', token_type: 'user' },
    };
    expect(await answered(nested, { member: 'authed_user' }).json()).toMatchObject({ access_token: 'user' });
    expect(
      await answered({ access_token: 'user', token_type: 'user' }, { member: 'authed_user' }).json(),
    ).toMatchObject({ access_token: 'user' });
    expect(await answered({ ...nested, authed_user: { id: 'U1' } }, { member: 'authed_user' }).json()).toEqual({});
  });
});

describe('printable', () => {
  it('shows what a server says, and nothing that could be a token', () => {
    const plain = 'status 401: invalid_client: AADSTS7000215: Invalid client secret provided for client_secret_basic';
    expect(printable(plain, [])).toBe(plain);
    const tokens = ['token-in-an-error-canary-d4', 'ghs_16C7e42F292c6912E7', 'xoxb.1-abcdefgh~ij', `${'a'.repeat(40)}`];
    for (const token of tokens) expect(printable(`no: ${token}, sorry`, [])).toBe('no: [...], sorry');
    expect(printable('bad hunter2', ['hunter2'])).toBe('bad [secret]');
  });

  it('is short and printable whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text, [])).toMatch(/^[\x20-\x7e]{0,300}$/);
      }),
    );
  });
});
