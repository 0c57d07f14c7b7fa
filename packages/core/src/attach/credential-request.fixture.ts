import { Denial } from '../errors.js';
import type { Awaitable } from '../pipeline.js';
import type { Credential, CredentialRequest } from './provider.js';

/** A request for a credential with what the providers of this folder look at, and nothing else. */
export function credentialRequest(of: {
  readonly audience?: readonly string[];
  readonly token?: string;
  readonly identifier?: string;
  readonly zoneId?: string;
}): CredentialRequest {
  const {
    audience = ['resource://api'],
    token = 'e30.e30.c2ln',
    identifier = 'resource://api',
    zoneId = 'default',
  } = of;
  return { mandate: { audience }, token, resource: { identifier, zoneId } } as unknown as CredentialRequest;
}

/** The credential, or an error that names the denial. */
export async function attached(answer: Awaitable<Credential | Denial>): Promise<Credential> {
  const credential = await answer;
  if (credential instanceof Denial) throw new Error(`denied: ${credential.code} ${credential.reason}`);
  return credential;
}

/** Code and reason of the denial, or an error where there is a credential. */
export async function denied(answer: Awaitable<Credential | Denial>): Promise<string> {
  const denial = await answer;
  if (!(denial instanceof Denial)) throw new Error('a credential, not a denial');
  return `${denial.code} ${denial.reason}`;
}
