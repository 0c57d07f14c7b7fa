import { type Denied, denied } from '../denied.js';
import { type Form, parseForm } from './form.js';
import type { Received } from './received.js';

const MEDIA_TYPE = 'application/x-www-form-urlencoded';

/** Reads the form of a request; what is wrong with its body is `invalid_request`. @see RFC 6749 section 3.2 */
export async function readForm(received: Received): Promise<Form | Denied> {
  // URLs are logged, and parameters hold secrets.
  if (received.hasQuery) return denied('invalid_request', 'query_present');
  const contentType = received.header('content-type') ?? '';
  if (contentType.split(';', 1)[0]!.trim().toLowerCase() !== MEDIA_TYPE) {
    return denied('invalid_request', 'content_type_not_form');
  }
  const body = await received.readBody();
  if (typeof body !== 'string') return denied('invalid_request', body.reason, undefined, body.status);
  const form = parseForm(body);
  return typeof form === 'string' ? denied('invalid_request', form) : form;
}
