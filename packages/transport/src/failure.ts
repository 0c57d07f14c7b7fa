import type { TransportFailure } from '@caracal/core';
import { AddressNotAllowedError } from './guarded-lookup.js';

/** What was known of an attempt when its error came. */
export interface AttemptProgress {
  /** The request was given to a connection. */
  readonly started: boolean;
  /** The final response's head was delivered. */
  readonly headSeen: boolean;
  /** The error of the caller's own body. */
  readonly bodyError: Error | null | undefined;
}

/** The failure of a dial. */
export function dialFailure(error: Error): TransportFailure {
  return { kind: error instanceof AddressNotAllowedError ? 'address' : 'unreachable', cause: error };
}

/** The failure of an attempt that had a connection. */
export function attemptFailure(error: Error, progress: AttemptProgress): TransportFailure {
  const code = codeOf(error);
  // A parser's error carries the bytes it choked on: part of an answer, which goes into no log.
  const cause = code.startsWith('HPE_') ? new Error(`the upstream's answer is not valid HTTP (${code})`) : error;
  return { kind: kindOf(error, code, progress), cause };
}

function kindOf(error: Error, code: string, progress: AttemptProgress): TransportFailure['kind'] {
  if (error === progress.bodyError) return 'body';
  switch (code) {
    // The transport's own aborts are silent, so that this is undici's word for a body that closed without an end.
    case 'UND_ERR_ABORTED':
    case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
      return 'body';
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_NOT_SUPPORTED':
    case 'UND_ERR_HEADERS_OVERFLOW':
      return 'invalid';
    // undici says this of any parser error after a Content-Length: before the head it means a head that cannot be read.
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return progress.headSeen ? 'closed' : 'invalid';
    case 'HPE_INVALID_EOF_STATE':
      return 'closed';
    case 'UND_ERR_SOCKET':
      // An answer nobody asked for, a 100, or an upgrade that was not asked for; there is no code of their own.
      if (error.message === 'bad response' || error.message === 'bad upgrade') return 'invalid';
  }
  if (code.startsWith('HPE_')) return 'invalid';
  return progress.started ? 'closed' : 'unreachable';
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
