import type { Secret } from '@caracal/core';
import type { TokenServiceConfiguration } from '../configuration/configuration.js';
import { CommandError, failed } from '../frame/command-error.js';
import { type LocalAnswer, localOrigin, localRequest, NotListeningError } from './local-request.js';

/** What is asked of the token service. */
export interface WantedMandate {
  readonly applicationId: string;
  readonly secret: Secret;
  readonly resources: readonly string[];
  /** Empty: all that is granted. */
  readonly scopes: readonly string[];
  readonly ttlSeconds?: number | undefined;
}

/** What it issued. */
export interface RequestedMandate {
  readonly mandate: string;
  readonly expiresInSeconds: number;
  readonly scope: string;
}

/** Asks the running token service for a mandate. @throws CommandError where it refuses or does not answer */
export async function requestMandate(
  tokenService: TokenServiceConfiguration,
  { applicationId, secret, resources, scopes, ttlSeconds }: WantedMandate,
): Promise<RequestedMandate> {
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  for (const resource of resources) form.append('resource', resource);
  if (scopes.length > 0) form.set('scope', scopes.join(' '));
  if (ttlSeconds !== undefined) form.set('ttl_seconds', String(ttlSeconds));
  const answer = await send(tokenService, `${applicationId}`, secret, form);
  const body = parsed(answer);
  if (answer.status === 200 && typeof body.access_token === 'string') {
    return {
      mandate: body.access_token,
      expiresInSeconds: Number(body.expires_in),
      scope: typeof body.scope === 'string' ? body.scope : '',
    };
  }
  const { error = 'no error code', error_description: description } = body;
  const said = typeof description === 'string' ? `: ${description.replace(/\.$/, '')}` : '';
  throw failed({
    message: `the token service refuses with ${error}${said}; for the exact reason: caracal audit query --since 5m --decision denied`,
    error,
    status: answer.status,
  });
}

async function send(
  tokenService: TokenServiceConfiguration,
  applicationId: string,
  secret: Secret,
  form: URLSearchParams,
): Promise<LocalAnswer> {
  // Form-encoded before it is joined: RFC 6749 section 2.3.1.
  const credentials = [applicationId, secret.reveal()].map((part) => new URLSearchParams({ part }).toString().slice(5));
  try {
    return await localRequest(tokenService, {
      method: 'POST',
      path: `${issuerPath(tokenService)}/oauth/2/token`,
      headers: {
        Authorization: `Basic ${Buffer.from(credentials.join(':')).toString('base64')}`,
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: form.toString(),
    });
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    if (cause instanceof NotListeningError) throw failed(`${cause.message}; start the token service: caracal serve`);
    throw failed(`the token service at ${localOrigin(tokenService)} cannot be asked: ${(cause as Error).message}`);
  }
}

function issuerPath({ issuer }: TokenServiceConfiguration): string {
  return issuer === undefined ? '' : new URL(issuer).pathname.replace(/\/$/, '');
}

function parsed({ text }: LocalAnswer): Record<string, unknown> {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {}; // something else listens there: its status is told
  }
}
