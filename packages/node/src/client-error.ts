import type { Socket } from 'node:net';
import { type MalformedReason, malformed } from '@caracal/core';
import type { Connections } from './connections.js';
import { refuseOnSocket } from './refuse-on-socket.js';

/** What Node says of bytes that are no request, and which answer that calls for; the rest is answered with 400. */
const REASON_OF_CODE: Readonly<Record<string, MalformedReason>> = Object.freeze({
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_PAUSED_H2_UPGRADE: 'http_version_unsupported',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
});

/** Handles `clientError`: answers what could not be parsed like every refusal, echoing none of it, and closes. */
export function onClientError(
  error: Error & { readonly code?: string },
  socket: Socket,
  connections: Connections,
): void {
  const { caller } = connections.of(socket);
  if (caller?.answering) {
    caller.breakOff();
    return;
  }
  caller?.abandon();
  // Nothing can be said to one who has gone, or where it would be taken for the answer to another request: the broken
  // bytes may stand behind one that is complete and not answered yet.
  if (!socket.writable || isConnectionError(error.code) || caller?.bodyPending === false) {
    socket.destroySoon();
    return;
  }
  refuseOnSocket(socket, malformed(reasonOf(error)));
}

function isConnectionError(code: string | undefined): boolean {
  return code === undefined || !(code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT');
}

function reasonOf(error: Error & { readonly code?: string }): MalformedReason {
  // The same code also stands for a bare line feed after the version.
  if (error.code === 'HPE_INVALID_VERSION' && error.message.includes('Invalid HTTP version')) {
    return 'http_version_unsupported';
  }
  return REASON_OF_CODE[error.code ?? ''] ?? 'unparsable';
}
