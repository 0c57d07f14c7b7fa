import ipaddr from 'ipaddr.js';
import { type Address, cidrs, isIn } from './cidr.js';

const LAST_32_BITS = cidrs([
  '::ffff:0:0/96', // IPv4-mapped, RFC 4291
  '::ffff:0:0:0/96', // SIIT, RFC 2765
  '64:ff9b::/96', // NAT64, RFC 6052
  '::/96', // IPv4-compatible, RFC 4291
]);
const OWN = cidrs(['::/128', '::1/128']);
const LOCAL_NAT64 = cidrs(['64:ff9b:1::/48']);
const SIX_TO_FOUR = cidrs(['2002::/16']);
const TEREDO = cidrs(['2001::/32']);

/**
 * The IPv4 addresses an IPv6 address leads to by a transition mechanism; empty where it is an ordinary one. All of them
 * count: what reaches the one that is allowed may reach the other.
 */
export function embeddedIpv4(address: Address): readonly ipaddr.IPv4[] {
  if (address.kind() === 'ipv4' || isIn(address, OWN)) return [];
  const bytes = address.toByteArray();
  if (isIn(address, LAST_32_BITS)) return [ipv4(bytes, 12, 13, 14, 15)];
  if (isIn(address, SIX_TO_FOUR)) return [ipv4(bytes, 2, 3, 4, 5)];
  if (isIn(address, LOCAL_NAT64)) return localNat64(bytes);
  if (isIn(address, TEREDO)) return teredo(bytes);
  return [];
}

// RFC 4380 section 4: the server's address, and the client's with every bit inverted. Packets go to both.
function teredo(bytes: readonly number[]): ipaddr.IPv4[] {
  const inverted = bytes.map((byte) => byte ^ 0xff);
  return [ipv4(bytes, 4, 5, 6, 7), ipv4(inverted, 12, 13, 14, 15)];
}

// RFC 8215: the operator chooses a prefix of 48, 56, 64 or 96 bits in this block, and RFC 6052 section 2.2 places the
// IPv4 address by its length, which cannot be seen from outside. A reading in 0.0.0.0/8 leads nowhere: not that one.
function localNat64(bytes: readonly number[]): ipaddr.IPv4[] {
  const readings = [
    ipv4(bytes, 6, 7, 9, 10),
    ipv4(bytes, 7, 9, 10, 11),
    ipv4(bytes, 9, 10, 11, 12),
    ipv4(bytes, 12, 13, 14, 15),
  ];
  const possible = readings.filter((reading) => reading.octets[0] !== 0);
  return possible.length === 0 ? readings : possible;
}

function ipv4(bytes: readonly number[], a: number, b: number, c: number, d: number): ipaddr.IPv4 {
  return new ipaddr.IPv4([bytes[a]!, bytes[b]!, bytes[c]!, bytes[d]!]);
}
