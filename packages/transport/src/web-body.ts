import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import type { Transport } from '@caracal/core';

/**
 * A transport for adapters whose bodies are web streams. A body that is sent again is the same one: none of its bytes was
 * read then. What is left of a body when an attempt is over is its owner's to cancel.
 */
export function webBodies(transport: Transport<Readable>): Transport<ReadableStream<Uint8Array>> {
  const readables = new WeakMap<ReadableStream<Uint8Array>, Readable>();
  function readableOf(body: ReadableStream<Uint8Array>): Readable {
    let readable = readables.get(body);
    if (readable === undefined) {
      readable = Readable.fromWeb(body as NodeReadableStream<Uint8Array>, { highWaterMark: 0 });
      // A body that fails while nobody reads it (before its connection is there) is found failed when it is read.
      readable.on('error', () => {});
      readables.set(body, readable);
    }
    return readable;
  }
  return {
    dispatch: (plan, body, handler) => transport.dispatch(plan, body === null ? null : readableOf(body), handler),
    close: () => transport.close(),
  };
}
