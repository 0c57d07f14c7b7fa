/** The host of an origin without port and brackets. */
export function hostOf(origin: string): string {
  const { hostname } = new URL(origin);
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

/**
 * Whether a host from a URL is an address and no name. The URL parser has made IPv4 of every spelling of it, and refuses a
 * host that ends in a number otherwise.
 */
export function isLiteral(host: string): boolean {
  return host.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}
