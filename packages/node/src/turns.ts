import type { ServerResponse } from 'node:http';
import type { Connection } from './connections.js';

/** Pipelined requests that may wait on one connection. A caller that sends more loses the connection. */
export const MAX_PIPELINED_REQUESTS = 64;

/**
 * Begins when the response is the one at the head of its connection. A pipelined request is not looked at before the one
 * ahead of it is answered: its effects come after that one's, and its answer needs no memory (RFC 9112 section 9.3.2).
 */
export function inTurn(res: ServerResponse, connection: Connection, begin: () => void): void {
  if (res.socket !== null) {
    begin();
    return;
  }
  connection.waiting += 1;
  if (connection.waiting > MAX_PIPELINED_REQUESTS) {
    connection.socket.destroy();
    return;
  }
  // Node is still busy with the change of turns when it emits this.
  res.once('socket', () =>
    process.nextTick(() => {
      connection.waiting -= 1;
      // Left over from the answer ahead; between two answers Node does not replace it.
      connection.socket.setTimeout(0);
      begin();
    }),
  );
}
