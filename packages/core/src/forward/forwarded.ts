/** What an upstream that asks for it is told of the caller. */
export interface ForwardedFacts {
  readonly peerAddress: string;
  /** Scheme, host and port of `gateway.publicUrl`, where one is configured. */
  readonly publicUrl: string | undefined;
  /** Raw mount prefix that was removed from the path; empty where none was. */
  readonly mountPrefix: string;
}

/**
 * The headers that tell the upstream the client's address; and, from configuration alone, where the gateway is. The
 * `Host` a caller sent is not among them: an upstream that builds links from it would build the caller's.
 * @see RFC 7239 section 4
 */
export function forwardedHeaders(mode: 'x-forwarded' | 'forwarded', facts: ForwardedFacts): string[] {
  const address = plainAddress(facts.peerAddress);
  const [proto, host] = facts.publicUrl?.split('://') ?? [];
  if (mode === 'forwarded') {
    const place = host === undefined ? '' : `;host="${host}";proto=${proto}`;
    return ['Forwarded', `for=${forwardedNode(address)}${place}`];
  }
  const headers: string[] = [];
  if (address !== undefined) headers.push('X-Forwarded-For', address);
  if (host !== undefined && proto !== undefined) headers.push('X-Forwarded-Host', host, 'X-Forwarded-Proto', proto);
  if (facts.mountPrefix !== '') headers.push('X-Forwarded-Prefix', facts.mountPrefix);
  return headers;
}

// RFC 7239 section 6: IPv6 in brackets, and quoted because a colon is no token character.
function forwardedNode(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  return address.includes(':') ? `"[${address}]"` : address;
}

// Sockets that accept both families show IPv4 peers as `::ffff:192.0.2.1`; a zone id means nothing to another machine;
// the peer of a Unix socket has no address.
function plainAddress(text: string): string | undefined {
  const address = text.split('%', 1)[0]!.replace(/^::ffff:(?=[\d.]+$)/i, '');
  return /^[\da-f.:]+$/i.test(address) ? address : undefined;
}
