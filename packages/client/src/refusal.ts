import { CaracalError, refusalError } from './errors.js';

/** The code of a refusal of the gateway; `null` for an answer of the upstream, which can never carry this header. */
export function refusalCode(headers: Headers): string | null {
  return headers.get('x-caracal-error');
}

/** Seconds in `Retry-After`, where it is a number. */
export function retryAfterSeconds(headers: Headers): number | undefined {
  const text = headers.get('retry-after');
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}

/** Makes the typed error of a refusal, reading its body. */
export async function refusalOfResponse(response: Response, code: string): Promise<CaracalError> {
  let body: unknown;
  try {
    body = await response.json();
  } catch {
    // HEAD has none, and one cut short changes nothing: what matters most is in the headers.
  }
  return errorFrom(code, response.status, response.headers, body);
}

/**
 * The gateway's refusal within whatever a client library threw: the error itself, one of its causes, or the answer a library
 * kept in it. `undefined` where the gateway did not refuse.
 */
export function refusalOf(thrown: unknown): CaracalError | undefined {
  const seen = new Set<unknown>();
  const search = (value: unknown): CaracalError | undefined => {
    if (typeof value !== 'object' || value === null || seen.has(value) || seen.size > 16) return undefined;
    seen.add(value);
    if (value instanceof CaracalError) return value;
    const { headers, status, statusCode, error } = value as LibraryError;
    const code = headerOf(headers, 'x-caracal-error');
    if (code !== null) {
      const names = ['x-caracal-request-id', 'retry-after', 'www-authenticate'];
      const kept = new Headers(names.map((name): [string, string] => [name, headerOf(headers, name) ?? '']));
      return errorFrom(code, Number(status ?? statusCode ?? 0), kept, error);
    }
    for (const inner of INNER) {
      const found = search((value as Record<string, unknown>)[inner]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return search(thrown);
}

/** Where libraries keep what went wrong beneath. */
const INNER = ['cause', 'original', 'detail', 'response', 'raw', 'lastError'];

interface LibraryError {
  readonly headers?: unknown;
  readonly status?: unknown;
  readonly statusCode?: unknown;
  readonly error?: unknown;
}

function headerOf(headers: unknown, name: string): string | null {
  if (typeof headers !== 'object' || headers === null) return null;
  const value = headers instanceof Headers ? headers.get(name) : (headers as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : null;
}

/** The typed error, as far as status and headers tell; `body` where it was read. */
export function errorFrom(code: string, status: number, headers: Headers, body?: unknown): CaracalError {
  const challenge = /scope="([^"]*)"/.exec(headers.get('www-authenticate') ?? '');
  const connectUri = (body as { connect_uri?: unknown } | null | undefined)?.connect_uri;
  return refusalError(code, {
    status,
    requestId: headers.get('x-caracal-request-id') || undefined,
    retryAfterSeconds: retryAfterSeconds(headers),
    scopes: challenge?.[1]?.split(' ') ?? [],
    connectUri: typeof connectUri === 'string' ? connectUri : undefined,
  });
}
