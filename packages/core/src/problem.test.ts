import { describe, expect, it } from 'vitest';
import { deny, type ErrorCode, STATUS_OF_CODE } from './errors.js';
import { DESCRIPTION_OF_CODE, refusal } from './problem.js';

const options = { requestId: 'r-1', corsHeaders: [], random: 0.99 };

function header(headers: readonly string[], name: string): string | undefined {
  const at = headers.findIndex((text, index) => index % 2 === 0 && text === name);
  return at === -1 ? undefined : headers[at + 1];
}

describe('refusal', () => {
  it.each(Object.keys(STATUS_OF_CODE) as ErrorCode[])('says %s in status, body and header alike', (code) => {
    const answer = refusal(deny(code, 'a_reason_of_ours'), options);
    expect(answer.status).toBe(STATUS_OF_CODE[code]);
    expect(JSON.parse(answer.body)).toEqual({
      error: code,
      error_description: DESCRIPTION_OF_CODE[code],
      requestId: 'r-1',
    });
    expect(header(answer.headers, 'X-Caracal-Error')).toBe(code);
    expect(header(answer.headers, 'Cache-Control')).toBe('no-store');
    expect(header(answer.headers, 'Content-Length')).toBe(String(answer.body.length));
    expect(JSON.stringify(answer)).not.toContain('a_reason_of_ours');
  });

  it('challenges without an error code where no credentials came', () => {
    expect(header(refusal(deny('missing_token', 'x'), options).headers, 'WWW-Authenticate')).toBe(
      'Bearer realm="caracal"',
    );
  });

  it('challenges every other 401 with invalid_token', () => {
    for (const code of ['invalid_token', 'session_revoked', 'token_replayed'] as const) {
      expect(header(refusal(deny(code, 'x'), options).headers, 'WWW-Authenticate')).toBe(
        'Bearer realm="caracal", error="invalid_token"',
      );
    }
  });

  it('names the scopes that are missing', () => {
    const denial = deny('insufficient_scope', 'x', { scope: 'billing:read billing:submit' });
    expect(header(refusal(denial, options).headers, 'WWW-Authenticate')).toBe(
      'Bearer realm="caracal", error="insufficient_scope", scope="billing:read billing:submit"',
    );
  });

  it('says when to try again: what is known, else 1 to 5 seconds', () => {
    expect(header(refusal(deny('rate_limited', 'x', { retryAfterSeconds: 42 }), options).headers, 'Retry-After')).toBe(
      '42',
    );
    expect(header(refusal(deny('overloaded', 'x'), options).headers, 'Retry-After')).toBe('5');
    expect(header(refusal(deny('overloaded', 'x'), { ...options, random: 0 }).headers, 'Retry-After')).toBe('1');
  });

  it('gives invalid_request the finer status its reason calls for, with Allow', () => {
    const answer = refusal(deny('invalid_request', 'method_not_allowed', { allow: 'GET, POST' }), options);
    expect(answer.status).toBe(405);
    expect(header(answer.headers, 'Allow')).toBe('GET, POST');
    expect(refusal(deny('invalid_request', 'target_too_long'), options).status).toBe(414);
  });

  it('sends a person to where an account is connected', () => {
    const answer = refusal(deny('connection_required', 'x', { connectUri: 'https://sts.example/connect' }), options);
    expect(JSON.parse(answer.body)).toMatchObject({ connect_uri: 'https://sts.example/connect' });
  });
});
