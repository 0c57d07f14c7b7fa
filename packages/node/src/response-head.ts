import type { OutgoingHttpHeader, ServerResponse } from 'node:http';

/**
 * Writes status and headers as they are: in order, repeated names kept, values latin1.
 * @throws where Node will not write a header (control characters); nothing is written then
 */
export function writeResponseHead(res: ServerResponse, status: number, headers: readonly string[]): void {
  const ordered = dispositionFirst(headers);
  // Where a framework has called `setHeader` before us, Node keeps only the last of each repeated name in a flat list.
  res.writeHead(status, res.getHeaderNames().length === 0 ? (ordered as string[]) : repeatedAsArrays(ordered));
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
