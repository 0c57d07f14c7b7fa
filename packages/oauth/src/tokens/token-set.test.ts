import { describe, expect, it } from 'vitest';
import { usability } from './lifetime.js';
import { tokenSet } from './token-set.js';

const ANSWER = { access_token: 'token', token_type: 'Bearer', expires_in: 60 };

describe('tokenSet', () => {
  it('is what may be attached, and until when', () => {
    expect(tokenSet(ANSWER, ['bearer'], 1_000)).toMatchObject({
      accessToken: 'token',
      expiresAtMs: 61_000,
      obtainedAtMs: 1_000,
    });
  });

  it.each([
    ['a line break in the token', { access_token: 'a\r\nX-Admin: 1' }, 'token_answer_token_unusable'],
    ['a scheme before the token', { access_token: 'Bearer x' }, 'token_answer_token_unusable'],
    ['a token beyond ASCII', { access_token: 'tök' }, 'token_answer_token_unusable'],
    ['a token that is too long', { access_token: 'a'.repeat(8_193) }, 'token_answer_token_unusable'],
    ['a token that needs a proof', { token_type: 'DPoP' }, 'token_answer_type'],
    ['a type nobody listed', { token_type: 'mac' }, 'token_answer_type'],
    ['a control character in the refresh token', { refresh_token: 'a\u0000' }, 'token_answer_refresh_token_unusable'],
  ])('refuses %s', (_name, change, reason) => {
    expect(() => tokenSet({ ...ANSWER, ...change }, ['bearer'], 0)).toThrow(reason);
  });
});

describe('usability', () => {
  it('ends before the token does, and begins to renew before that', () => {
    for (const life of [1_000, 60_000, 3_600_000, 86_400_000]) {
      for (const random of [0, 0.5, 1]) {
        const { usableUntilMs, refreshAtMs } = usability(0, life, random);
        expect(usableUntilMs).toBeLessThan(life);
        expect(usableUntilMs).toBeGreaterThan(life / 2);
        expect(refreshAtMs).toBeLessThanOrEqual(usableUntilMs);
        expect(life - refreshAtMs).toBeLessThanOrEqual(Math.max(300_000, life / 5));
      }
    }
  });
});
