import { Denial, unusableToken } from '@caracal/core';
import { OAuthFault } from '../oauth-fault.js';

/** Tokens as an authorization server answered them, checked. */
export interface TokenSet {
  /** Visible ASCII, at most 8,192 characters. */
  readonly accessToken: string;
  /** Printable ASCII, at most 4,096 characters. */
  readonly refreshToken: string | undefined;
  /** Wall clock, ms; `undefined`: the answer does not say. */
  readonly expiresAtMs: number | undefined;
  /** Wall clock, ms: when it was asked for. */
  readonly obtainedAtMs: number;
  readonly scope: string | undefined;
}

const REFRESH_TOKEN = /^[\x20-\x7e]{1,4096}$/;
const SCOPE = /^[\x20-\x7e]{0,4096}$/;

/** What a checked answer of a token endpoint holds, under the RFC's names. */
export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in?: number | undefined;
  readonly refresh_token?: string | undefined;
  readonly scope?: string | undefined;
}

/**
 * Checks what will stand in headers. A line break in a token would begin another header; a scheme that came along with it, or a
 * token of a kind that needs a proof, would be refused upstream with a misleading answer.
 *
 * @throws OAuthFault `token_answer_<why>`; nothing is quoted.
 */
export function tokenSet(answer: TokenAnswer, tokenTypes: readonly string[], askedAtMs: number): TokenSet {
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn, scope } = answer;
  const unusable = unusableToken(accessToken);
  if (unusable instanceof Denial) {
    throw new OAuthFault('token_answer_token_unusable', { explanation: `access_token: ${unusable.reason}` });
  }
  if (!tokenTypes.includes(answer.token_type.toLowerCase())) {
    throw new OAuthFault('token_answer_type', { explanation: 'token_type is not Bearer and not listed in tokenTypes' });
  }
  if (refreshToken !== undefined && !REFRESH_TOKEN.test(refreshToken)) {
    throw new OAuthFault('token_answer_refresh_token_unusable');
  }
  return Object.freeze({
    accessToken,
    refreshToken,
    expiresAtMs: expiresIn === undefined ? undefined : askedAtMs + expiresIn * 1_000,
    obtainedAtMs: askedAtMs,
    scope: scope !== undefined && SCOPE.test(scope) ? scope : undefined,
  });
}
