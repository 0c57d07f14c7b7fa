import type { Application } from './application.js';
import { type Denied, denied } from './denied.js';
import { jsonAnswer } from './http/answers.js';
import { type Form, parameter } from './http/form.js';
import type { Answer } from './http/received.js';
import type { MandateIssuer } from './mandate/issuer.js';
import type { MandateClaims } from './mandate/mandate-claims.js';
import type { KnownResource } from './resource.js';
import type { Settings } from './settings.js';

/**
 * `POST /oauth/2/introspect`: whether a mandate is good now, for the application it is of and for the gateway applications
 * of the resources it reaches. To everybody else, and of everything else, it is not active; nothing says why.
 *
 * @see RFC 7662 section 2
 */
export async function answerIntrospection(
  application: Application,
  form: Form,
  { settings, issuer }: { readonly settings: Settings; readonly issuer: MandateIssuer },
): Promise<Answer | Denied> {
  const token = parameter(form, 'token');
  if (token === undefined) return denied('invalid_request', 'token_missing');
  const claims = await issuer.verify(token);
  const isActive =
    typeof claims !== 'string' &&
    settings.applications.has(claims.client_id) &&
    mayIntrospect(application, claims, settings.resources);
  if (!isActive) return jsonAnswer(200, { active: false });
  return jsonAnswer(200, { active: true, ...claims, token_type: 'Bearer' });
}

function mayIntrospect(
  { id }: Application,
  { client_id, target = [] }: MandateClaims,
  resources: ReadonlyMap<string, KnownResource>,
): boolean {
  return client_id === id || target.some((identifier) => resources.get(identifier)?.gatewayApplication === id);
}
