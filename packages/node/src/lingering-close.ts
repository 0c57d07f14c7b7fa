import type { Socket } from 'node:net';

/** How much of a request that is no longer wanted is read and thrown away. */
export const LINGER_MAX_BYTES = 1024 * 1024;

/** How long a caller may take to notice that it was answered. */
export const LINGER_TIMEOUT_MS = 1_000;

/**
 * Closes a connection whose request has not been read to its end, so that the answer arrives: a socket closed over
 * unread bytes sends a reset, and that may throw away what the caller has not read yet. Our side is closed first, what
 * still comes is discarded, and the caller or the limits end it.
 * @param last what is left of the answer, latin1
 * @see RFC 9112 section 9.6
 */
export function lingeringClose(socket: Socket, last: string): void {
  socket.end(last, 'latin1');
  const timer = setTimeout(() => socket.destroy(), LINGER_TIMEOUT_MS);
  socket.once('close', () => clearTimeout(timer));
  // Not now: we may be inside the parser, which is about to hand on more of what it has.
  setImmediate(discard, socket);
}

function discard(socket: Socket): void {
  let left = LINGER_MAX_BYTES;
  // The parser's listener goes: nothing that comes now is a request, or its body.
  socket.removeAllListeners('data');
  socket.on('data', (chunk: Uint8Array) => {
    left -= chunk.length;
    if (left < 0) socket.destroy();
  });
  socket.resume();
}
