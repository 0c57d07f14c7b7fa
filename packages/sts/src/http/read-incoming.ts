import type { IncomingMessage } from 'node:http';
import { ABORTED, BODY_TIMEOUT_MS, type BodyFault, LATE, MAX_BODY_BYTES, NOT_UTF8, TOO_LARGE } from './read-body.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** As `readBody`, of a request of `node:http`. What is left of a body that is refused is not read. */
export function readIncoming(incoming: IncomingMessage): Promise<string | BodyFault> {
  // A declared length saves reading; it is not believed where it is small.
  if (Number(incoming.headers['content-length']) > MAX_BODY_BYTES) return Promise.resolve(TOO_LARGE);
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const finish = (body: string | BodyFault): void => {
      clearTimeout(timer);
      incoming.off('data', read).off('end', ended).off('error', broken).off('close', broken);
      resolve(body);
    };
    const refuse = (fault: BodyFault): void => {
      incoming.pause();
      finish(fault);
    };
    const read = (chunk: Uint8Array): void => {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) refuse(TOO_LARGE);
      else chunks.push(chunk);
    };
    const ended = (): void => finish(decoded(chunks));
    const broken = (): void => finish(ABORTED);
    const timer = setTimeout(() => refuse(LATE), BODY_TIMEOUT_MS);
    incoming.on('data', read).on('end', ended).on('error', broken).on('close', broken);
    // Of one that broke off before, nothing comes any more.
    if (incoming.destroyed) broken();
  });
}

function decoded(chunks: readonly Uint8Array[]): string | BodyFault {
  try {
    return decoder.decode(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
  } catch {
    // The decoder's complaint: it would quote nothing, and there is only one.
    return NOT_UTF8;
  }
}
