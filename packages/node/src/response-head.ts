import type { OutgoingHttpHeader, ServerResponse } from 'node:http';

/**
 * What describes an answer that something before us has prepared and that is not the one that is sent: with another's length
 * the caller would take a part of the next answer for the end of this one, or the reverse.
 */
const OF_ANOTHER_ANSWER: readonly string[] = [
  'content-length',
  'trailer',
  'content-type',
  'content-encoding',
  'content-language',
  'content-location',
  'content-disposition',
  'content-range',
  'accept-ranges',
  'etag',
  'last-modified',
];

/**
 * Writes status and headers as they are: in order, repeated names kept, values latin1. What a framework has set before stays,
 * but for what belongs to an answer of its own.
 * @throws where Node will not write a header (control characters); nothing is written then
 */
export function writeResponseHead(res: ServerResponse, status: number, headers: readonly string[]): void {
  const ordered = dispositionFirst(headers);
  if (res.getHeaderNames().length === 0) {
    res.writeHead(status, ordered as string[]);
    return;
  }
  forgetOtherAnswer(res, ordered);
  // Where a framework has called `setHeader` before us, Node keeps only the last of each repeated name in a flat list.
  res.writeHead(status, repeatedAsArrays(ordered));
}

function forgetOtherAnswer(res: ServerResponse, headers: readonly string[]): void {
  for (const name of OF_ANOTHER_ANSWER) if (res.hasHeader(name)) res.removeHeader(name);
  if (!res.hasHeader('transfer-encoding')) return;
  // To remove it is to tell Node that there shall be no chunks, whatever comes of the length.
  const chunks = res.useChunkedEncodingByDefault && !headers.some(isContentLength);
  if (chunks) res.setHeader('Transfer-Encoding', 'chunked');
  else res.removeHeader('transfer-encoding');
}

function isContentLength(text: string, index: number): boolean {
  return index % 2 === 0 && text.length === 14 && text.toLowerCase() === 'content-length';
}

/**
 * Node rewrites the bytes of a `Content-Disposition` that follows `Content-Length`, and throws on some of them; before
 * it, the value is left alone. The order of different fields means nothing (RFC 9110 section 5.3).
 */
function dispositionFirst(headers: readonly string[]): readonly string[] {
  for (let index = 2; index < headers.length; index += 2) {
    const name = headers[index]!;
    if (name.length !== 19 || name.toLowerCase() !== 'content-disposition') continue;
    return [name, headers[index + 1]!, ...headers.slice(0, index), ...headers.slice(index + 2)];
  }
  return headers;
}

function repeatedAsArrays(headers: readonly string[]): OutgoingHttpHeader[] {
  const fields = new Map<string, { name: string; values: string[] }>();
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!;
    const value = headers[index + 1]!;
    const field = fields.get(name.toLowerCase());
    if (field === undefined) fields.set(name.toLowerCase(), { name, values: [value] });
    else field.values.push(value);
  }
  return [...fields.values()].flatMap(({ name, values }) => [name, values.length === 1 ? values[0]! : values]);
}
