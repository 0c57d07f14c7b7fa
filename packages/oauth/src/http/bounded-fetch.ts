import type { AddressPolicy, Clock, Outbound, OutboundAnswer } from '@caracal/core';
import { OAuthFault } from '../oauth-fault.js';

/** Largest answer of an authorization server, bytes. */
export const MAX_ANSWER_BYTES = 65_536;

/** Where and until when one operation may ask. */
export interface FetchLimits {
  readonly outbound: Outbound;
  readonly addressPolicy: AddressPolicy;
  readonly clock: Clock;
  /** Monotonic, ms. For everything the operation asks. */
  readonly deadline: number;
}

/** A request as `oauth4webapi` and this package make it. */
export interface FetchRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: URLSearchParams | string | undefined;
}

/** Reasons an `Outbound` gives; anything else it throws is `failed`. */
const KNOWN_FAILURES = new Set([
  'request',
  'address',
  'unreachable',
  'timeout',
  'closed',
  'invalid',
  'too_large',
  'encoded',
]);
/** Those that came before a byte was sent. */
const UNSENT = new Set(['request', 'address', 'unreachable']);

/**
 * Asks an authorization server through the guarded door. Follows no redirect; the answer is bounded in time and size.
 *
 * @throws OAuthFault `token_endpoint_<why>`
 */
export async function boundedFetch(url: string, request: FetchRequest, limits: FetchLimits): Promise<OutboundAnswer> {
  requireSafeUrl(url);
  const timeoutMs = limits.deadline - limits.clock.monotonic();
  if (timeoutMs <= 0) throw new OAuthFault('token_endpoint_timeout', { unsent: true });
  const headers: string[] = [];
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.toLowerCase() !== 'user-agent') headers.push(name, value);
  }
  try {
    return await limits.outbound.fetch({
      method: request.method === 'POST' ? 'POST' : 'GET',
      url,
      headers: [...headers, 'User-Agent', 'caracal'],
      body: request.body === undefined ? undefined : String(request.body),
      timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
      addressPolicy: limits.addressPolicy,
    });
  } catch (cause) {
    const reason = (cause as { reason?: unknown } | null)?.reason;
    const known = typeof reason === 'string' && KNOWN_FAILURES.has(reason) ? reason : 'failed';
    throw new OAuthFault(`token_endpoint_${known}`, {
      unsent: UNSENT.has(known),
      explanation: `${new URL(url).origin} ${unreachable(known, cause) ?? EXPLANATIONS[known] ?? 'could not be asked'}`,
    });
  }
}

const EXPLANATIONS: Readonly<Record<string, string>> = {
  address: 'resolves to an address that is not allowed: see allowPrivateNetwork',
  unreachable: 'cannot be reached: name, port, route or TLS',
  timeout: 'did not answer in time: see timeoutMs',
  closed: 'closed the connection before its answer was complete',
  invalid: 'did not answer in HTTP',
  too_large: `answered with more than ${MAX_ANSWER_BYTES} bytes`,
  encoded: 'answered compressed although asked not to',
};

/** Why a dial failed, by the codes of Node's name look-up, sockets and OpenSSL. */
const DIAL_FAILURES: readonly (readonly [RegExp, string])[] = [
  [/^(ENOTFOUND|EAI_NODATA|EAI_NONAME)$/, 'has a name that is not found: look for a slip'],
  [/^EAI_AGAIN$/, 'has a name that could not be looked up: the name server does not answer'],
  [/^ECONNREFUSED$/, 'refuses connections: nothing listens on that port'],
  [/^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, 'has no route from here'],
  [/^(ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/, 'takes no connection in time: a firewall, or the wrong port'],
  [/^CERT_HAS_EXPIRED$/, 'shows a certificate that has expired'],
  [/^CERT_NOT_YET_VALID$/, 'shows a certificate that is not valid yet: look at the clock here'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'shows a certificate for another name'],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w*CERT\w*|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/,
    'shows a certificate of an authority that is not trusted here: see NODE_EXTRA_CA_CERTS',
  ],
  [/^(EPROTO|ERR_SSL_\w+)$/, 'does not speak TLS as it should: is it http on that port?'],
];

/** The code alone: messages of the system hold addresses. */
function unreachable(reason: string, cause: unknown): string | undefined {
  if (reason !== 'unreachable') return undefined;
  let inner: unknown = cause;
  for (let depth = 0; depth < 5 && inner instanceof Error; depth++) {
    const { code, errors } = inner as { code?: unknown; errors?: unknown };
    const found = typeof code === 'string' && DIAL_FAILURES.find(([known]) => known.test(code));
    if (found) return found[1];
    // Several addresses were tried.
    inner = Array.isArray(errors) ? errors[0] : inner.cause;
  }
  return undefined;
}

/** Whether secrets may go there: https, or http on the loopback host. */
export function isSafeUrl(text: unknown): text is string {
  if (typeof text !== 'string' || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password, hash } = new URL(text);
  if (username !== '' || password !== '' || hash !== '' || text.includes('#')) return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname));
}

/** `localhost`, 127.0.0.0/8 and `[::1]`, as a URL parser writes them. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function requireSafeUrl(url: string): void {
  if (!isSafeUrl(url)) {
    throw new OAuthFault('token_endpoint_insecure', {
      unsent: true,
      explanation: 'an endpoint is neither https nor on loopback',
    });
  }
}

/** The value of a header, the first of its name. */
export function headerOf({ headers }: OutboundAnswer, name: string): string | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) if (headers[i]!.toLowerCase() === name) return headers[i + 1];
  return undefined;
}
