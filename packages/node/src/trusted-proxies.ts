import { BlockList, isIP, isIPv4 } from 'node:net';

/** Entries of `X-Forwarded-For` that are looked at, from the nearest on; a chain of proxies is never longer. */
export const MAX_FORWARDED_HOPS = 32;

/** The keyword for a proxy that connects through a socket of the file system, which has no address. */
const UNIX = 'unix';

/**
 * Who sent a request: `address` of the connection, or what the trusted proxies in front say. `rawHeaders`: flat name, value
 * list.
 */
export type ReadPeer = (address: string, rawHeaders: readonly string[]) => string;

/**
 * Reads who is behind the proxies in front: `X-Forwarded-For` from its end on, as long as whoever wrote an entry is
 * trusted; the first address that is not trusted is the caller. A peer that is no trusted proxy is the caller itself,
 * whatever its headers say, and what is no address never becomes one.
 *
 * @param trustedProxies IP addresses, CIDR blocks, and `unix` for connections through a socket of the file system.
 * @throws TypeError that names an entry that is none of these
 */
export function peerReader(trustedProxies: readonly string[]): ReadPeer {
  if (!Array.isArray(trustedProxies)) throw new TypeError('Option "trustedProxies" must be a list of addresses.');
  const trusted = new BlockList();
  let sockets = false;
  for (const entry of trustedProxies) {
    if (entry === UNIX) sockets = true;
    else trust(trusted, entry);
  }
  const isTrusted = (address: string): boolean =>
    address === '' ? sockets : trusted.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  if (trustedProxies.length === 0) return (address) => address;
  return (address, rawHeaders) => {
    if (!isTrusted(address)) return address;
    const hops = forwardedFor(rawHeaders);
    let peer = address;
    for (let index = hops.length - 1; index >= Math.max(0, hops.length - MAX_FORWARDED_HOPS); index--) {
      const hop = addressOf(hops[index]!);
      if (hop === undefined) return peer;
      peer = hop;
      if (!isTrusted(peer)) return peer;
    }
    return peer;
  };
}

function trust(trusted: BlockList, entry: unknown): void {
  const [, address, prefix] = /^([0-9A-Fa-f.:]+)(?:\/(\d{1,3}))?$/.exec(String(entry)) ?? [];
  const version = isIP(address ?? '');
  const bits = prefix === undefined ? undefined : Number(prefix);
  if (address === undefined || version === 0 || (bits !== undefined && bits > (version === 4 ? 32 : 128))) {
    throw new TypeError(`Option "trustedProxies" takes addresses, CIDR blocks and "unix"; ${String(entry)} is none.`);
  }
  const family = version === 4 ? 'ipv4' : 'ipv6';
  if (bits === undefined) trusted.addAddress(address, family);
  else trusted.addSubnet(address, bits, family);
}

// Repeated headers are one list (RFC 9110 section 5.3), in the order in which they came.
function forwardedFor(rawHeaders: readonly string[]): string[] {
  const hops: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (name.length === 15 && name.toLowerCase() === 'x-forwarded-for') hops.push(...rawHeaders[index + 1]!.split(','));
  }
  return hops;
}

// Some proxies write the port too: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
function addressOf(hop: string): string | undefined {
  const text = hop.trim();
  const [, bracketed, plain] = /^(?:\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|(\d[\d.]*):\d{1,5})$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? text;
  return isIP(address) === 0 || address.includes('%') ? undefined : address;
}
