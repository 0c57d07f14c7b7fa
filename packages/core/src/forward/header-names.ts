/**
 * What becomes of a request header. `pass`: to the upstream unchanged. `remove`: never passed; what the gateway sets
 * under that name is its own. `connection`: removed with the headers it nominates. `cookie`: the resource decides.
 */
export type RequestRule = 'pass' | 'remove' | 'connection' | 'cookie';

/** What becomes of a response header. The rules with a name of their own are for headers that need a look inside. */
export type ResponseRule =
  | 'pass'
  | 'remove'
  | 'connection'
  | 'content-length'
  | 'transfer-encoding'
  | 'set-cookie'
  | 'location'
  | 'content-location'
  | 'link'
  | 'request-id';

/** A header name and what becomes of a header that bears it. */
export interface HeaderName {
  /** See {@link foldName}. */
  readonly folded: string;
  readonly request: RequestRule;
  readonly response: ResponseRule;
}

/**
 * The name by which headers are compared: lower case, all but letters and digits as `-`. Servers that turn headers into
 * environment variables or object keys (CGI, WSGI, PHP) cannot tell `X_Forwarded_For` from `X-Forwarded-For`, nor some of
 * them (lighttpd) `X!Forwarded!For`, so none may pass where the other does not.
 */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-');
}

/** The rules of a header name. Slow: the hot path asks a classifier. */
export function headerName(name: string): HeaderName {
  const folded = foldName(name);
  return { folded, request: requestRule(folded), response: responseRule(folded) };
}

// RFC 9110 section 7.6.1, beside what `Connection` nominates.
const HOP_BY_HOP = ['keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade'];

const REMOVED_FROM_REQUEST: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'transfer-encoding',
  // Set by the gateway, never taken over.
  'host',
  'content-length',
  'x-request-id',
  'traceparent',
  'tracestate',
  // The caller's authority towards the gateway, which is none towards the upstream.
  'authorization',
  'dpop',
  'txn-token',
  // What an upstream may believe because a proxy said so. `Proxy` becomes HTTP_PROXY in a CGI program ("httpoxy").
  'forwarded',
  'forwarded-for',
  'x-forwarded',
  'x-real-ip',
  'x-client-ip',
  'client-ip',
  'true-client-ip',
  'x-true-client-ip',
  'x-cluster-client-ip',
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'fastly-client-ip',
  'fly-client-ip',
  'x-azure-clientip',
  'x-azure-socketip',
  'x-appengine-user-ip',
  'x-envoy-external-address',
  'wl-proxy-client-ip',
  'x-host',
  'x-scheme',
  'x-url-scheme',
  'front-end-https',
  'x-rewrite-url',
  // The same of who is calling: RFC 9440 section 2 has every proxy remove the first two.
  'client-cert',
  'client-cert-chain',
  'x-client-cert',
  'remote-user',
  'x-remote-user',
  'x-remote-group',
  'x-webauth-user',
  'x-method-override',
  'proxy',
  // Answered here, or for the next hop alone.
  'expect',
  'http2-settings',
  'baggage',
]);
const REMOVED_REQUEST_PREFIXES = [
  ...['x-caracal-', 'x-forwarded-', 'x-original-', 'x-http-method', 'proxy-'],
  ...['x-auth-request-', 'x-remote-extra-', 'x-ssl-client-', 'ssl-client-'],
];

const REMOVED_FROM_RESPONSE: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'server',
  'x-powered-by',
  // What an upstream says of its own origin would be taken for the gateway's, and so for every resource behind it.
  'refresh',
  'alt-svc',
  'strict-transport-security',
  'clear-site-data',
  'nel',
  'report-to',
  'set-cookie2',
]);
const REMOVED_RESPONSE_PREFIXES = ['x-caracal-', 'x-aspnet', 'access-control-', 'proxy-'];

const RESPONSE_RULES: ReadonlyMap<string, ResponseRule> = new Map<string, ResponseRule>([
  ['connection', 'connection'],
  ['content-length', 'content-length'],
  ['transfer-encoding', 'transfer-encoding'],
  ['set-cookie', 'set-cookie'],
  ['location', 'location'],
  ['content-location', 'content-location'],
  ['link', 'link'],
  ['x-request-id', 'request-id'],
]);

function requestRule(folded: string): RequestRule {
  if (folded === 'connection' || folded === 'cookie') return folded;
  return REMOVED_FROM_REQUEST.has(folded) || startsWithOne(folded, REMOVED_REQUEST_PREFIXES) ? 'remove' : 'pass';
}

function responseRule(folded: string): ResponseRule {
  const own = RESPONSE_RULES.get(folded);
  if (own !== undefined) return own;
  return REMOVED_FROM_RESPONSE.has(folded) || startsWithOne(folded, REMOVED_RESPONSE_PREFIXES) ? 'remove' : 'pass';
}

function startsWithOne(folded: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => folded.startsWith(prefix));
}
