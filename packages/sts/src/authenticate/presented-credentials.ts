import { type Denied, denied } from '../denied.js';
import { decodeFormText, type Form, parameter } from '../http/form.js';
import { JWT_BEARER_ASSERTION } from '../oauth-names.js';

/** How an application says who it is. Nothing in it has been verified. */
export type PresentedCredentials =
  | {
      /** `caracal`: `application_id` and `client_secret` in the body, as Caracal's clients send them. */
      readonly method: 'client_secret_basic' | 'client_secret_post' | 'caracal';
      readonly applicationId: string;
      readonly secret: string;
    }
  | {
      readonly method: 'private_key_jwt';
      /** As the body names it; the assertion must agree. */
      readonly applicationId: string | undefined;
      readonly assertion: string;
    };

/** Longest application id or secret that is looked at, characters. */
export const MAX_CREDENTIAL_LENGTH = 1_024;

/**
 * Finds the one method a request authenticates with: none is `invalid_client`, several are `invalid_request`, and so is
 * another application in the body than the credentials name.
 *
 * @see RFC 6749 section 2.3
 */
export function presentedCredentials(authorization: string | null, form: Form): PresentedCredentials | Denied {
  const clientId = parameter(form, 'client_id');
  const namedByCaracal = parameter(form, 'application_id');
  if (clientId !== undefined && namedByCaracal !== undefined)
    return denied('invalid_request', 'application_named_twice');
  const named = clientId ?? namedByCaracal;
  const secret = parameter(form, 'client_secret');
  const assertion = parameter(form, 'client_assertion');
  const assertionType = parameter(form, 'client_assertion_type');

  const asserts = assertion !== undefined || assertionType !== undefined;
  const methods = Number(authorization !== null) + Number(secret !== undefined) + Number(asserts);
  if (methods > 1) return denied('invalid_request', 'several_authentication_methods');
  if (authorization !== null) return basicCredentials(authorization, named);
  if (secret !== undefined) {
    if (named === undefined) return denied('invalid_client', 'application_missing');
    return bounded({
      method: clientId === undefined ? 'caracal' : 'client_secret_post',
      applicationId: named,
      secret,
    });
  }
  if (!asserts) return denied('invalid_client', 'credentials_missing');
  if (assertionType !== JWT_BEARER_ASSERTION) return denied('invalid_client', 'assertion_type_unknown');
  if (assertion === undefined) return denied('invalid_client', 'assertion_missing');
  return { method: 'private_key_jwt', applicationId: named, assertion };
}

// RFC 6749 section 2.3.1: id and secret are form-encoded first, so that a colon in an id cannot move the border.
function basicCredentials(authorization: string, named: string | undefined): PresentedCredentials | Denied {
  const match = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization);
  if (match === null) return denied('invalid_client', 'authorization_malformed');
  const text = decodeBase64(match[1]!);
  const colon = text?.indexOf(':') ?? -1;
  if (text === undefined || colon < 1) return denied('invalid_client', 'authorization_malformed');
  const applicationId = decodeFormText(text.slice(0, colon));
  const secret = decodeFormText(text.slice(colon + 1));
  if (applicationId === undefined || secret === undefined || secret === '') {
    return denied('invalid_client', 'authorization_malformed');
  }
  if (named !== undefined && named !== applicationId) return denied('invalid_request', 'application_named_twice');
  return bounded({ method: 'client_secret_basic', applicationId, secret });
}

function decodeBase64(text: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Bad base64 or bad UTF-8. The error's text could quote the secret.
    return undefined;
  }
}

function bounded(credentials: Extract<PresentedCredentials, { secret: string }>): PresentedCredentials | Denied {
  const { applicationId, secret } = credentials;
  const fits = applicationId.length <= MAX_CREDENTIAL_LENGTH && secret.length <= MAX_CREDENTIAL_LENGTH;
  return fits ? credentials : denied('invalid_client', 'credentials_too_long');
}
