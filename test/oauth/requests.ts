import {
  type Awaitable,
  type Credential,
  type CredentialRequest,
  Denial,
  defineResource,
  type Mandate,
  type Presence,
  type Provider,
} from '@caracal/core';

export const ISSUER = 'https://issuer.test';

/** A request for a credential as the gateway makes it, for this subject. */
export function credentialRequest(
  provider: Provider,
  of: {
    readonly subject?: string;
    readonly issuer?: string;
    readonly zoneId?: string;
    readonly presence?: Presence;
  } = {},
): CredentialRequest {
  const { subject = 'alice', issuer = ISSUER, zoneId = 'default', presence } = of;
  const resource = defineResource({
    identifier: 'resource://api',
    zone: zoneId,
    upstreamUrl: provider.origins?.[0] ?? 'http://127.0.0.1:9',
    provider,
    allowPrivateNetwork: true,
  });
  const mandate = {
    issuer,
    subject,
    zoneId,
    applicationId: 'agent',
    audience: [issuer],
    jti: 'jti',
    expiresAt: Math.floor(Date.now() / 1_000) + 300,
  } as unknown as Mandate;
  return { mandate, token: 'e30.e30.c2ln', resource, presence };
}

/** The token that would be attached, or `code reason` of the denial. */
export async function tokenOf(answer: Awaitable<Credential | Denial>): Promise<string> {
  const outcome = await answer;
  return outcome instanceof Denial ? `${outcome.code} ${outcome.reason}` : (outcome.secrets[0] ?? '');
}
