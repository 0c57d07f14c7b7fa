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
    if (typeof headers === 'object' && headers !== null) {
      // This is what was answered. Libraries hang what an upstream wrote beside it, and that could pose as a refusal.
      const code = headerOf(headers, 'x-caracal-error');
      if (code === null) return undefined;
      const names = ['x-caracal-request-id', 'retry-after', 'www-authenticate'];
      const kept = new Headers(names.map((name): [string, string] => [name, headerOf(headers, name) ?? '']));
      return errorFrom(code, Number(status ?? statusCode ?? 0), kept, error);
    }
    const { response } = value as { readonly response?: unknown };
    for (const inner of [response, ...CAUSES.map((name) => (value as Record<string, unknown>)[name]).filter(isError)]) {
      const found = search(inner);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return search(thrown);
}

/** Where libraries keep what went wrong beneath. */
const CAUSES = ['cause', 'original', 'detail', 'lastError'];

// Of any realm. Parsed JSON never is one.
function isError(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object Error]';
}

interface LibraryError {
  readonly headers?: unknown;
  readonly status?: unknown;
  readonly statusCode?: unknown;
  readonly error?: unknown;
}

function headerOf(headers: object, name: string): string | null {
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
    // It is shown to a person, as a link.
    connectUri: typeof connectUri === 'string' && /^https?:\/\//.test(connectUri) ? connectUri : undefined,
  });
}
