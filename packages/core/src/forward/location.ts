import type { Upstream } from '../resolve/resource.js';

/** Where a reference in an upstream's answer comes from, and where the caller reaches the same things. */
export interface ReferenceBase {
  readonly upstream: Upstream;
  /** Path and query as sent upstream, but without an injected credential: relative references start here. */
  readonly target: string;
  /** Raw mount prefix that was removed from the path; empty where none was. */
  readonly mountPrefix: string;
  /** Scheme, host and port of `gateway.publicUrl`, where one is configured. */
  readonly publicUrl: string | undefined;
}

/**
 * What a reference means to the caller.
 * - `inside`: within the resource; `value` leads there through the gateway.
 * - `hidden`: elsewhere on the upstream, or no reference at all: nothing the caller could use.
 * - `gateway`, `foreign`: the gateway's own origin, or another one; `value` is safe to pass on.
 */
export type Reference =
  | { readonly kind: 'inside' | 'gateway' | 'foreign'; readonly value: string }
  | { readonly kind: 'hidden' };

const HIDDEN: Reference = { kind: 'hidden' };

const URI_TEXT = /^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]*$/;

/**
 * Judges a reference by the URL Standard, as browsers and most clients do: `//evil`, `\evil`, `https:evil` and tabs
 * within a scheme are what they make of them, not what they look like.
 *
 * @param raw Header value or part of one, latin1.
 * @see https://url.spec.whatwg.org/#url-parsing
 */
export function resolveReference(raw: string, base: ReferenceBase): Reference {
  const { upstream } = base;
  const url = parsed(raw, upstream.origin + base.target);
  if (url === undefined) return HIDDEN;
  if (isAt(url, upstream.origin)) {
    const rest = restOf(url.pathname, upstream.basePath);
    return rest === undefined ? HIDDEN : { kind: 'inside', value: throughGateway(base, rest + url.search + url.hash) };
  }
  const kind = base.publicUrl !== undefined && isAt(url, base.publicUrl) ? 'gateway' : 'foreign';
  return { kind, value: isPlain(raw, url) ? raw : url.href };
}

function parsed(raw: string, base: string): URL | undefined {
  const reference = escapedBytes(raw);
  const escapedBase = escapedBytes(base);
  return URL.canParse(reference, escapedBase) ? new URL(reference, escapedBase) : undefined;
}

// Bytes above ASCII are the UTF-8 of something almost always; as latin1 characters they would be encoded once more.
function escapedBytes(text: string): string {
  return text.replace(/[\x80-\xff]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

// By protocol and host: `origin` of a `blob:` URL is that of the URL inside it.
function isAt(url: URL, origin: string): boolean {
  return `${url.protocol}//${url.host}` === origin;
}

// Whether a client that follows RFC 3986 to the letter reads the same origin in it. Any other spelling is replaced by the
// URL as it was judged, so that nobody reads it differently.
function isPlain(raw: string, url: URL): boolean {
  const origin = `${url.protocol}//${url.host}`;
  if (!raw.startsWith(origin) || !URI_TEXT.test(raw)) return false;
  return raw.length === origin.length || '/?#'.includes(raw[origin.length]!);
}

function restOf(path: string, basePath: string): string | undefined {
  if (!path.startsWith(basePath)) return undefined;
  const rest = path.slice(basePath.length);
  return rest === '' || rest.startsWith('/') ? rest : undefined;
}

function throughGateway({ publicUrl, mountPrefix }: ReferenceBase, rest: string): string {
  const prefix = (publicUrl ?? '') + mountPrefix;
  if (prefix !== '') return prefix + (rest.startsWith('/') || mountPrefix !== '' ? rest : `/${rest}`);
  // Alone, `//name` would be another host. The URL Standard writes such a path the same way.
  if (rest.startsWith('//')) return `/.${rest}`;
  return rest.startsWith('/') ? rest : `/${rest}`;
}
