import type { Plan } from '@caracal/core';

/** Codings that runtimes undo. */
const DECODED: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate', 'br', 'zstd']);

/** What describes an answer as it was encoded, and is not true of it once it is decoded. */
const OF_THE_ENCODED: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'content-md5',
  'content-digest',
  'digest',
]);

/** `Host` follows from the URL. Connection headers are the runtime's. */
const NOT_SAID: ReadonlySet<string> = new Set(['host', 'connection', 'transfer-encoding']);

/** The headers of a plan for `fetch`. `decodes`: this runtime decodes bodies, so that none should be encoded. */
export function requestHeaders({ headers }: Plan, decodes: boolean): Headers {
  const made = new Headers();
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (!NOT_SAID.has(headers[index]!.toLowerCase())) made.append(headers[index]!, headers[index + 1]!);
  }
  // Runtimes ask for encodings by themselves where nothing is said, and then hand on what nobody asked for.
  if (decodes || !made.has('accept-encoding')) made.set('accept-encoding', 'identity');
  return made;
}

/** The headers of an answer, and the length its body must have. @throws TypeError for a part of an encoded answer */
export function answerHeaders(
  response: Response,
  method: string,
  decodes: boolean,
): { readonly headers: string[]; readonly length: number | undefined } {
  const bodiless = method === 'HEAD' || response.body === null;
  const decoded = decodes && !bodiless && isDecoded(response.headers.get('content-encoding'));
  if (decoded && response.status === 206) throw new TypeError('a part of an encoded answer cannot be decoded');
  const headers: string[] = [];
  for (const [name, value] of response.headers) {
    if (!decoded || !OF_THE_ENCODED.has(name)) headers.push(name, value);
  }
  const declared = response.headers.get('content-length');
  const exact = declared !== null && !bodiless && !decoded && /^\d{1,15}$/.test(declared);
  return { headers, length: exact ? Number(declared) : undefined };
}

function isDecoded(coding: string | null): boolean {
  return coding?.split(',').some((each) => DECODED.has(each.trim().toLowerCase())) ?? false;
}
