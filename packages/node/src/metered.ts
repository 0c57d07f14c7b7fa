import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a meter tells of a request. `false`: the bytes are to be thrown away. */
export type OnReceived = (bytes: number) => boolean;

/** What a meter tells of a response. */
export interface ResponseMeter {
  responding(status: number, contentType: string | undefined): void;
  sent(bytes: number): void;
}

/**
 * Counts the bytes of a request's body as they arrive, those too that wait in its buffer already. Reads nothing itself, so
 * that back-pressure stays with whoever does.
 */
export function meterRequest(req: IncomingMessage, onReceived: OnReceived): void {
  const push = req.push;
  req.push = (chunk: Uint8Array | string | null, encoding?: BufferEncoding) =>
    chunk === null || onReceived(Buffer.byteLength(chunk)) ? push.call(req, chunk, encoding) : true;
  if (req.readableLength > 0) onReceived(req.readableLength);
}

/** Counts the bytes of a response's body as its handler writes them, and tells of its head when that is made. */
export function meterResponse(res: ServerResponse, meter: ResponseMeter, method: string | undefined): void {
  const { writeHead, write, end } = res;
  let ending = false;
  let bodiless = method === 'HEAD';
  const count = (chunk: unknown): void => {
    if (bodiless || ending) return;
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) meter.sent(Buffer.byteLength(chunk));
  };
  // Node makes the head of a response that was written to without one by this method too.
  res.writeHead = ((status: number, ...rest: unknown[]) => {
    if (status === 204 || status === 304) bodiless = true;
    // 1xx heads go another way (RFC 9110 section 15.2).
    if (status >= 200)
      meter.responding(status, contentTypeOf(rest.at(-1)) ?? headerText(res.getHeader('content-type')));
    return Reflect.apply(writeHead, res, [status, ...rest]);
  }) as typeof res.writeHead;
  res.write = ((chunk: unknown, ...rest: unknown[]) => {
    // Before the bytes: the head is made by the first of them.
    const written = Reflect.apply(write, res, [chunk, ...rest]);
    count(chunk);
    return written;
  }) as typeof res.write;
  res.end = ((chunk?: unknown, ...rest: unknown[]) => {
    if (!res.headersSent && !res.writableEnded) announce(res, meter);
    count(chunk);
    // Some runtimes end by writing.
    ending = true;
    return Reflect.apply(end, res, [chunk, ...rest]);
  }) as typeof res.end;
}

// Some runtimes make the head of an answer that is ended at once without `writeHead`.
function announce(res: ServerResponse, meter: ResponseMeter): void {
  meter.responding(res.statusCode, headerText(res.getHeader('content-type')));
}

function contentTypeOf(headers: unknown): string | undefined {
  if (Array.isArray(headers)) {
    const flat = headers.flat() as unknown[];
    const index = flat.findIndex((name, at) => at % 2 === 0 && String(name).toLowerCase() === 'content-type');
    return index === -1 ? undefined : headerText(flat[index + 1]);
  }
  if (typeof headers !== 'object' || headers === null) return undefined;
  const found = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type');
  return found === undefined ? undefined : headerText(found[1]);
}

function headerText(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}
