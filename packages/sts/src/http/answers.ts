import type { Denied, TokenError } from '../denied.js';
import type { Answer } from './received.js';

/** Fixed text for each error: never anything a caller sent. @see RFC 6749 section 5.2 */
const DESCRIPTION_OF_ERROR: Readonly<Record<TokenError, string>> = Object.freeze({
  invalid_request: 'The request is missing a parameter, repeats one, or holds one that is not acceptable.',
  invalid_client: 'The application could not be authenticated.',
  invalid_scope: 'The scope is malformed or exceeds what was granted.',
  invalid_target: 'No mandate can be issued for this resource with this scope.',
  unauthorized_client: 'The application may not do this.',
  unsupported_grant_type: 'The grant type is not supported.',
  temporarily_unavailable: 'The token service cannot answer now; try again.',
  server_error: 'The token service failed.',
});
const MAX_RETRY_AFTER_SECONDS = 5;

/** A JSON answer that no cache keeps. @see RFC 6749 section 5.1 */
export function jsonAnswer(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      Pragma: 'no-cache',
      'X-Content-Type-Options': 'nosniff',
      ...headers,
    },
    body: JSON.stringify(body),
  };
}

/** The answer to a refused request. @see RFC 6749 section 5.2 */
export function deniedAnswer({ error, status }: Denied): Answer {
  const headers: Record<string, string> = {};
  if (status === 401) headers['WWW-Authenticate'] = 'Basic realm="caracal", charset="UTF-8"';
  if (status === 503) headers['Retry-After'] = retryAfter();
  // What is left of a body that was not read belongs to no other request.
  if (status === 408 || status === 413) headers.Connection = 'close';
  return jsonAnswer(status, { error, error_description: DESCRIPTION_OF_ERROR[error] }, headers);
}

// Spread out, so that those who were refused together do not come back together.
function retryAfter(): string {
  return String(1 + Math.floor(Math.random() * MAX_RETRY_AFTER_SECONDS));
}
