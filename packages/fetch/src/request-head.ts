import type { RequestHead } from '@caracal/core';

/** What the runtime knows of a request beside the `Request`. */
export interface FetchInfo {
  /** The caller's address. Without it all callers count as one peer, which shares one verification budget. */
  readonly peerAddress?: string;
  /** `1.0`, `1.1` (default) or `2.0`. */
  readonly httpVersion?: string;
}

/**
 * The head of a web request, as far as it can be seen: repeated headers are joined, their order is lost, and most runtimes
 * have normalised the target. What is judged is what they show, and that is also what is forwarded.
 */
export function requestHead(request: Request, hasBody: boolean, info: FetchInfo): RequestHead {
  const { peerAddress = '', httpVersion = '1.1' } = info;
  const headers = [...request.headers].flat();
  return {
    method: request.method,
    target: targetOf(request),
    headers: hasBody && !showsFraming(request) ? [...headers, 'transfer-encoding', 'chunked'] : headers,
    httpVersion,
    peer: { address: peerAddress },
    // HTTP/1.0 knows no switch: such a request is served as if it had not asked (RFC 9110 section 7.8).
    upgrade: httpVersion === '1.1' && asksForWebSocket(request.headers),
    fidelity: 'joined',
    presence: request,
  };
}

/** Whether the head announces a body that the runtime does not show: a GET with one, in most of them. */
export function hidesBody({ body, headers }: Request): boolean {
  if (body !== null) return false;
  return headers.has('transfer-encoding') || Number(headers.get('content-length') ?? 0) !== 0;
}

/**
 * Path and query as the runtime shows them. By hand: `new URL` would normalise what some runtimes (Deno) leave alone, and
 * with it the evidence. Where the authority is not the Host's the request came in absolute form, and core refuses that.
 */
function targetOf({ url, headers }: Request): string {
  const authorityAt = url.indexOf('://') + 3;
  if (authorityAt < 3) return url;
  const rest = url.slice(authorityAt);
  const end = rest.search(/[/?#]/);
  const authority = end === -1 ? rest : rest.slice(0, end);
  const host = headers.get('host');
  if (host !== null && !isSameAuthority(url, authority, host)) return url;
  return end === -1 ? '' : rest.slice(end);
}

function isSameAuthority(url: string, authority: string, host: string): boolean {
  if (authority.toLowerCase() === host.toLowerCase()) return true;
  // A port that is the scheme's own is left out of a normalised URL.
  const asUrl = `${url.slice(0, url.indexOf('://'))}://${host}`;
  return URL.canParse(asUrl) && URL.canParse(url) && new URL(asUrl).host === new URL(url).host;
}

/** Whether the head tells how the body ends. HTTP/2 has bodies of which it does not. @see RFC 9112 section 6.3 */
export function showsFraming({ headers }: Request): boolean {
  return headers.has('content-length') || headers.has('transfer-encoding');
}

function asksForWebSocket(headers: Headers): boolean {
  return lists(headers.get('upgrade'), 'websocket') && lists(headers.get('connection'), 'upgrade');
}

function lists(value: string | null, token: string): boolean {
  return value?.split(',').some((member) => member.trim().toLowerCase() === token) ?? false;
}
