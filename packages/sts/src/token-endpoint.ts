import type { Application } from './application.js';
import { Denied } from './denied.js';
import type { Asked } from './evidence.js';
import { jsonAnswer } from './http/answers.js';
import type { Form } from './http/form.js';
import type { Answer } from './http/received.js';
import type { IssuedMandate, MandateIssuer } from './mandate/issuer.js';
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE } from './oauth-names.js';
import type { Settings } from './settings.js';
import { type TokenRequest, tokenRequest } from './token-request.js';

/** `POST /oauth/2/token` by an application that has proved who it is. @see RFC 6749 section 4.4, RFC 8693 section 2 */
export async function answerTokenRequest(
  application: Application,
  form: Form,
  asked: Asked,
  { settings, issuer }: { readonly settings: Settings; readonly issuer: MandateIssuer },
): Promise<Answer | Denied> {
  const request = tokenRequest(form, settings.zone);
  if (request instanceof Denied) return request;
  const issued = await issuer.issue(application, request, asked);
  return issued instanceof Denied ? issued : issuedAnswer(request, issued);
}

function issuedAnswer({ grantType }: TokenRequest, { mandate, claims }: IssuedMandate): Answer {
  return jsonAnswer(200, {
    access_token: mandate,
    ...(grantType === TOKEN_EXCHANGE ? { issued_token_type: ACCESS_TOKEN_TYPE } : undefined),
    token_type: 'Bearer',
    expires_in: claims.exp - claims.iat,
    scope: claims.scope,
  });
}
