import { uuidv7 } from 'uuidv7';
import { deny } from '../errors.js';
import { refusal } from '../problem.js';
import type { Refusal } from './head.js';

/** Why bytes did not become a request: answered with 400, 431, 408 and 505. */
export type MalformedReason = 'unparsable' | 'headers_too_large' | 'request_timeout' | 'http_version_unsupported';

/**
 * The answer to bytes that an adapter's runtime could not parse as a request. There is no head to admit then, and no
 * record is left. Holds nothing of what was received.
 */
export function malformed(reason: MalformedReason): Refusal {
  return refusal(deny('invalid_request', reason), { requestId: uuidv7(), corsHeaders: [], random: 0 });
}
