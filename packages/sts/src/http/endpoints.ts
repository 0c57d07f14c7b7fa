/** Where the token service answers: absolute URLs for metadata, paths for routing. */
export interface Endpoints {
  readonly issuer: string;
  readonly token: string;
  readonly revocation: string;
  readonly introspection: string;
  readonly jwks: string;
  readonly paths: {
    readonly token: string;
    readonly revocation: string;
    readonly introspection: string;
    readonly jwks: string;
    readonly metadata: string;
  };
}

/**
 * The endpoints of an issuer. Its path, where it has one, stands before each, and behind the well-known name of the
 * metadata. @see RFC 8414 section 3.1
 *
 * @throws TypeError where it is no https URL (http on loopback) without query, fragment, userinfo and trailing slash.
 */
export function endpointsOf(issuer: string): Endpoints {
  const url = typeof issuer === 'string' && URL.canParse(issuer) ? new URL(issuer) : undefined;
  const path = url === undefined || url.pathname === '/' ? '' : url.pathname;
  // Only what a URL parser would write itself: readers compare issuers as texts.
  if (url === undefined || !isSafe(url) || issuer !== `${url.origin}${path}` || path.endsWith('/')) {
    throw new TypeError(
      'createTokenService: issuer is a URL such as https://tokens.example: https (http on loopback), no trailing slash, query or fragment',
    );
  }
  const paths = {
    token: `${path}/oauth/2/token`,
    revocation: `${path}/oauth/2/revoke`,
    introspection: `${path}/oauth/2/introspect`,
    jwks: `${path}/.well-known/jwks.json`,
    metadata: `/.well-known/oauth-authorization-server${path}`,
  };
  return Object.freeze({
    issuer,
    token: url.origin + paths.token,
    revocation: url.origin + paths.revocation,
    introspection: url.origin + paths.introspection,
    jwks: url.origin + paths.jwks,
    paths: Object.freeze(paths),
  });
}

function isSafe({ protocol, hostname }: URL): boolean {
  if (protocol === 'https:') return true;
  return (
    protocol === 'http:' && (hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname))
  );
}
