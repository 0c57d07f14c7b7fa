import { CaracalError, type ConnectionKey, compositeKey, type SecretBinding } from '@caracal/core';
import type { TokenBox } from '../tokens/token-box.js';
import type { TokenSet } from '../tokens/token-set.js';

/** What a connection holds once it is opened. */
export interface ConnectionTokens {
  readonly accessToken: string;
  /** None where there never was one, or where it is not accepted any more. */
  readonly refreshToken: string | undefined;
  /** Wall clock, ms; `undefined`: until somebody revokes it. */
  readonly expiresAtMs: number | undefined;
  /** Wall clock, ms. */
  readonly obtainedAtMs: number;
  /** Obtained because the upstream had refused the one before. */
  readonly afterRefusal: boolean;
  readonly scope: string | undefined;
  /** Wall clock, ms: when the person connected. */
  readonly connectedAtMs: number;
  /**
   * Wall clock, ms: nobody presents the refresh token before. Written before it is presented, so that it is presented once even where
   * every lock is lost; and after a failure, for a while.
   */
  readonly presentFromMs: number | undefined;
  /** The authorization server refused the refresh token: the person has to connect again. */
  readonly lost: boolean;
}

/** Where a connection's secret belongs: opened for another zone, provider or owner, it does not open. */
export function connectionBinding(
  { zoneId, providerId, owner }: ConnectionKey,
  origins: readonly string[],
): SecretBinding {
  const whose = owner === 'shared' ? ['shared'] : ['own', owner.issuer, owner.subject];
  return { zoneId, providerId, field: `connection:${compositeKey(whose)}`, origins };
}

/** The connection that tokens make, kept as long as nothing else is said. */
export function connectionTokens(
  tokens: TokenSet,
  more: Partial<ConnectionTokens> & Pick<ConnectionTokens, 'connectedAtMs'>,
): ConnectionTokens {
  const { accessToken, refreshToken, expiresAtMs, obtainedAtMs, scope } = tokens;
  const fresh = { accessToken, refreshToken, expiresAtMs, obtainedAtMs, scope };
  return {
    afterRefusal: false,
    presentFromMs: undefined,
    lost: false,
    ...more,
    ...fresh,
    refreshToken: refreshToken ?? more.refreshToken,
    scope: scope ?? more.scope,
  };
}

/** Seals what a connection holds. */
export function sealConnection(box: TokenBox, tokens: ConnectionTokens, binding: SecretBinding): Promise<string> {
  return box.seal(JSON.stringify({ v: 1, ...tokens }), binding);
}

/** Opens a connection. @throws CaracalError `credential_unavailable` */
export async function openConnection(box: TokenBox, sealed: string, binding: SecretBinding): Promise<ConnectionTokens> {
  const held = JSON.parse(await box.open(sealed, binding)) as ConnectionTokens & { readonly v: number };
  // Sealed by us, so its shape is ours; another version is not.
  if (held.v !== 1) throw new CaracalError('credential_unavailable', 'connection_version_unknown');
  return {
    accessToken: held.accessToken,
    refreshToken: held.refreshToken,
    expiresAtMs: held.expiresAtMs,
    obtainedAtMs: held.obtainedAtMs,
    afterRefusal: held.afterRefusal,
    scope: held.scope,
    connectedAtMs: held.connectedAtMs,
    presentFromMs: held.presentFromMs,
    lost: held.lost,
  };
}
