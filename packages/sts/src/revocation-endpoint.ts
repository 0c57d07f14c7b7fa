import { ask, Denial } from '@caracal/core';
import type { Application } from './application.js';
import { type Denied, denied } from './denied.js';
import { type Form, parameter } from './http/form.js';
import type { Answer } from './http/received.js';
import type { MandateIssuer } from './mandate/issuer.js';
import { revocationOf } from './mandate/own-mandate.js';
import type { Settings } from './settings.js';

/**
 * `POST /oauth/2/revoke`: an application revokes a mandate of its own. What is no mandate any more, or never was one, is
 * answered like what has just been revoked.
 *
 * @see RFC 7009 section 2
 */
export async function answerRevocation(
  application: Application,
  form: Form,
  { settings, issuer }: { readonly settings: Settings; readonly issuer: MandateIssuer },
): Promise<Answer | Denied> {
  const token = parameter(form, 'token');
  if (token === undefined) return denied('invalid_request', 'token_missing');
  const claims = await issuer.verify(token);
  if (typeof claims === 'string') return REVOKED;
  if (claims.client_id !== application.id) return denied('unauthorized_client', 'mandate_of_another');
  const { revocations, portTimeoutMs } = settings;
  const revoked = await ask('revocation_unavailable', portTimeoutMs, () => revocations.revoke(revocationOf(claims)));
  if (!(revoked instanceof Denial)) return REVOKED;
  return denied('temporarily_unavailable', 'revocation_unavailable', revoked.members?.cause);
}

const REVOKED: Answer = Object.freeze({
  status: 200,
  headers: Object.freeze({ 'Cache-Control': 'no-store', 'Content-Length': '0' }),
  body: null,
});
