import { isToken } from '../syntax/header-syntax.js';
import { trimOptionalWhitespace } from './optional-whitespace.js';

/** How long a browser may remember a preflight's answer, s. */
export const PREFLIGHT_MAX_AGE_SECONDS = 600;

const EXPOSED = [
  'X-Caracal-Error',
  'X-Caracal-Request-Id',
  'X-Caracal-Token-Expires-In',
  'X-Request-Id',
  'WWW-Authenticate',
  'Retry-After',
  'ETag',
  'Link',
  'Location',
].join(', ');

/** Headers that every call needs, whether or not the browser asks. */
const ALWAYS_ALLOWED = ['Authorization', 'X-Caracal-Resource'];

const MAX_ASKED_HEADERS = 100;

/**
 * CORS headers of an answer, as a flat name, value list: empty where no origins are configured, `Vary` alone where the
 * caller's is not among them. Credentials are never allowed: a mandate is sent by code, not by the browser on its own.
 *
 * @param origins Serialized origins, such as `https://app.example`.
 * @param origin Value of the request's `Origin`; `null`, which any sandboxed page can send, never matches.
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function corsHeaders(origins: readonly string[], origin: string | undefined): string[] {
  if (origins.length === 0) return [];
  if (!isAllowed(origins, origin)) return ['Vary', 'Origin'];
  return ['Access-Control-Allow-Origin', origin, 'Access-Control-Expose-Headers', EXPOSED, 'Vary', 'Origin'];
}

/**
 * Headers of the 204 that answers a preflight, as a flat name, value list: the method and the headers asked for are
 * granted, because what they may do is decided on the call itself. `undefined` where the origin is not allowed.
 */
export function preflightHeaders(
  origins: readonly string[],
  origin: string | undefined,
  asked: { readonly method: string; readonly headers: string | undefined },
): string[] | undefined {
  if (!isAllowed(origins, origin) || !isToken(asked.method)) return undefined;
  return [
    'Access-Control-Allow-Origin',
    origin,
    'Access-Control-Allow-Methods',
    asked.method,
    'Access-Control-Allow-Headers',
    allowedHeaders(asked.headers ?? ''),
    'Access-Control-Max-Age',
    String(PREFLIGHT_MAX_AGE_SECONDS),
    'Vary',
    'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
  ];
}

function isAllowed(origins: readonly string[], origin: string | undefined): origin is string {
  return origin !== undefined && origin !== 'null' && origins.includes(origin);
}

function allowedHeaders(asked: string): string {
  const names = asked.split(',', MAX_ASKED_HEADERS).map(trimOptionalWhitespace).filter(isToken);
  const lower = new Set(names.map((name) => name.toLowerCase()));
  return [...ALWAYS_ALLOWED.filter((name) => !lower.has(name.toLowerCase())), ...names].join(', ');
}
