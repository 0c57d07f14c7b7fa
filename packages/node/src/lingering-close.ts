import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';

/** How much of a request that is no longer wanted is read and thrown away. */
export const LINGER_MAX_BYTES = 1024 * 1024;

/** How long a caller may take to notice that it was answered. */
export const LINGER_TIMEOUT_MS = 1_000;

/**
 * Closes a connection whose request has not been read to its end, so that the answer arrives: a socket closed over
 * unread bytes sends a reset, and that may throw away what the caller has not read yet. Our side is closed first, what
 * still comes is discarded, and the caller or the limits end it.
 * @param last what is left of the answer, latin1
 * @param body the request's; `undefined` where the bytes are no request
 * @see RFC 9112 section 9.6
 */
export function lingeringClose(socket: Socket, last: string, body: Readable | undefined): void {
  socket.end(last, 'latin1');
  const timer = setTimeout(() => socket.destroy(), LINGER_TIMEOUT_MS);
  socket.once('close', () => clearTimeout(timer));
  // Not now: the parser is about to hand on more of what it has, and a transport may not have let go of the body.
  if (body === undefined || body.destroyed) setImmediate(discardFromSocket, socket);
  else setImmediate(discardBody, body, socket);
}

function discardBody(body: Readable, socket: Socket): void {
  body.on('data', discarding(socket));
  // A transport that gives up only now pauses it once more.
  body.on('pause', () => body.resume());
  body.resume();
}

function discardFromSocket(socket: Socket): void {
  if (socket.destroyed) return;
  // The parser may have stopped the reading, and only `resume` starts it again: a data listener takes the socket from it.
  socket.pause();
  socket.once('resume', () => {
    // The parser's listener goes: it would find the next error in what comes now.
    socket.removeAllListeners('data');
    socket.on('data', discarding(socket));
  });
  socket.resume();
}

function discarding(socket: Socket): (chunk: Uint8Array) => void {
  let left = LINGER_MAX_BYTES;
  return (chunk) => {
    left -= chunk.length;
    if (left < 0) socket.destroy();
  };
}
