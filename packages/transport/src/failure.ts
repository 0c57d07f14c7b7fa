import type { TransportFailure } from '@caracal/core';
import { errors } from 'undici';
import { AddressNotAllowedError } from './guarded-lookup.js';

/** What was known of an attempt when its error came. */
export interface AttemptProgress {
  /** The request was given to a connection. */
  readonly started: boolean;
  /** The final response's head was delivered. */
  readonly headSeen: boolean;
  /** Bytes of an answer came. */
  readonly answerBegun: boolean;
  /** The error of the caller's own body. */
  readonly bodyError: Error | null | undefined;
}

/** The failure of a dial. */
export function dialFailure(error: Error): TransportFailure {
  return { kind: error instanceof AddressNotAllowedError ? 'address' : 'unreachable', cause: error };
}

/** The failure of an attempt that had a connection. */
export function attemptFailure(error: Error, progress: AttemptProgress): TransportFailure {
  if (error instanceof errors.HTTPParserError) {
    // Not the error itself: it carries the bytes it choked on, part of an answer, which go into no log. Its code is
    // missing in undici 7, so that the parser's fixed words have to tell an answer cut off from one that is wrong.
    const kind = error.message.includes('Invalid EOF state') ? closedKind(progress) : 'invalid';
    return { kind, cause: new Error(error.message) };
  }
  return { kind: kindOf(error, progress), cause: error };
}

/** Whether undici counted another number of body bytes than the answer's `Content-Length` said. */
export function isLengthMismatch(error: Error): boolean {
  return codeOf(error) === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';
}

function kindOf(error: Error, progress: AttemptProgress): TransportFailure['kind'] {
  if (error === progress.bodyError) return 'body';
  switch (codeOf(error)) {
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
    case 'UND_ERR_SOCKET':
      // An answer nobody asked for, a 100, or an upgrade that was not asked for; there is no code of their own.
      if (error.message === 'bad response' || error.message === 'bad upgrade') return 'invalid';
  }
  return progress.started ? closedKind(progress) : 'unreachable';
}

// A connection that closes within a head has carried part of an answer: the request must not be sent a second time.
function closedKind({ headSeen, answerBegun }: AttemptProgress): TransportFailure['kind'] {
  return answerBegun && !headSeen ? 'invalid' : 'closed';
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
