import { type Denied, denied } from '../denied.js';
import { type Form, parseForm } from './form.js';
import { readBody } from './read-body.js';

const MEDIA_TYPE = 'application/x-www-form-urlencoded';

/** Reads the form of a request; what is wrong with its body is `invalid_request`. @see RFC 6749 section 3.2 */
export async function readForm(request: Request, url: URL): Promise<Form | Denied> {
  // URLs are logged, and parameters hold secrets.
  if (url.search !== '') return denied('invalid_request', 'query_present');
  const contentType = request.headers.get('content-type') ?? '';
  if (contentType.split(';', 1)[0]!.trim().toLowerCase() !== MEDIA_TYPE) {
    return denied('invalid_request', 'content_type_not_form');
  }
  const body = await readBody(request);
  if (typeof body !== 'string') return denied('invalid_request', body.reason, undefined, body.status);
  const form = parseForm(body);
  return typeof form === 'string' ? denied('invalid_request', form) : form;
}
