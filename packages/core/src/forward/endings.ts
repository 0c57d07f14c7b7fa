import type { Outcome } from '../audit/record.js';
import type { ErrorCode } from '../errors.js';
import type { EndReason } from '../exchange.js';

/** What an exchange that the gateway ends is answered with, if it was not answered yet, and its outcome. */
export const ENDINGS: Readonly<Record<EndReason, { readonly code: ErrorCode; readonly outcome: Outcome }>> =
  Object.freeze({
    revoked: { code: 'session_revoked', outcome: 'revoked_mid_stream' },
    expired: { code: 'invalid_token', outcome: 'expired_mid_stream' },
    shutdown: { code: 'shutting_down', outcome: 'shutdown' },
  });
