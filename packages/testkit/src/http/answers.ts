import type { Answer } from '../upstream.js';
import type { HeaderField } from './message.js';

/** Answers with exactly these bytes. */
export function bytes(text: string): Answer {
  return async (_, reply) => {
    await reply.write(text);
  };
}

/** The head of an answer. */
export function headOf(status: number, headers: readonly HeaderField[]): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `HTTP/1.1 ${status} Answer\r\n${lines}\r\n`;
}

/** Answers once the request is there whole, with the length of `body`. */
export function answer(status: number, headers: readonly HeaderField[] = [], body = 'upstream'): Answer {
  return async (request, reply) => {
    await request.bodyEnded;
    const noBody = status === 204 || status === 304;
    const length: HeaderField[] = noBody ? [] : [['Content-Length', String(body.length)]];
    const shown = noBody || request.method === 'HEAD' ? '' : body;
    await reply.write(headOf(status, [...headers, ...length]) + shown);
  };
}

/** Answers with the body of the request. */
export const echo: Answer = async (request, reply) => {
  await request.bodyEnded;
  await reply.write(headOf(200, [['Content-Length', String(request.body.length)]]));
  await reply.write(request.body);
};

/** Begins a chunked answer with one chunk and goes no further. */
export function openStream(contentType: string, first = 'first'): Answer {
  return async (_, reply) => {
    await reply.write(
      headOf(200, [
        ['Content-Type', contentType],
        ['Transfer-Encoding', 'chunked'],
      ]),
    );
    await reply.write(`${first.length.toString(16)}\r\n${first}\r\n`);
  };
}

/** Never answers. */
export const silence: Answer = () => {};

/** Sends `total` bytes as fast as they are taken. */
export function download(total: number): Answer {
  return async (_, reply) => {
    await reply.write(headOf(200, [['Content-Length', String(total)]]));
    const piece = Buffer.alloc(64 * 1024, 'd');
    for (let left = total; left > 0; left -= piece.length) {
      if (!(await reply.write(left < piece.length ? piece.subarray(0, left) : piece))) return;
    }
  };
}
