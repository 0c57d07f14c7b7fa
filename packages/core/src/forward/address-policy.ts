import { NEVER, PRIVATE, REACHABLE, SPECIAL, UNICAST } from './address-ranges.js';
import { type Address, type Cidr, formatCidr, isIn, parseAddress, parseCidr } from './cidr.js';
import { embeddedIpv4 } from './embedded-ipv4.js';

/** Which resolved addresses may be dialled. Pools are kept per `key`: equal keys mean equal permission. */
export interface AddressPolicy {
  readonly key: string;
  /** `address`: a literal IPv4 or IPv6 address as resolved, without brackets; anything else is not allowed. */
  allows(address: string): boolean;
}

/** Blocks one policy may list. */
export const MAX_ALLOWED_CIDRS = 256;

/**
 * Makes the policy of a resource. Global unicast is always allowed; an IPv6 address that embeds an IPv4 address is
 * judged as that one; link-local, multicast, unspecified, broadcast and cloud metadata addresses are never allowed.
 *
 * @param allow `true` adds loopback, RFC 1918, unique local and CGNAT addresses; a list adds these CIDR blocks
 *   (`10.1.0.0/16`, `fd12:3456::/32`); `undefined` or `false` adds nothing.
 * @throws TypeError where the list holds something that is not a CIDR block, or is longer than 256.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export function addressPolicy(allow: boolean | readonly string[] | undefined): AddressPolicy {
  if (allow === undefined || allow === false) return policy('public', []);
  if (allow === true) return policy('private', PRIVATE);
  if (!Array.isArray(allow)) throw new TypeError('allowPrivateNetwork is true, false, or a list of CIDR blocks');
  if (allow.length > MAX_ALLOWED_CIDRS) {
    throw new TypeError(`allowPrivateNetwork lists more than ${MAX_ALLOWED_CIDRS} CIDR blocks; write larger ones`);
  }
  const added = allow.map(checkedCidr);
  const key = [...new Set(added.map(formatCidr))].sort().join(',');
  return policy(key === '' ? 'public' : key, added);
}

function policy(key: string, added: readonly Cidr[]): AddressPolicy {
  return Object.freeze({
    key,
    allows: (text: string) => {
      const address = parseAddress(text);
      return address !== undefined && isAllowed(address, added);
    },
  });
}

function isAllowed(address: Address, added: readonly Cidr[]): boolean {
  if (isIn(address, NEVER)) return false;
  const embedded = embeddedIpv4(address);
  for (const inner of embedded) if (isIn(inner, NEVER)) return false;
  if (isIn(address, added)) return true;
  if (embedded.length > 0) return embedded.every((inner) => isIn(inner, added) || isGlobal(inner));
  return isGlobal(address);
}

function isGlobal(address: Address): boolean {
  return isIn(address, UNICAST) && (!isIn(address, SPECIAL) || isIn(address, REACHABLE));
}

function checkedCidr(text: unknown): Cidr {
  const cidr = typeof text === 'string' ? parseCidr(text) : undefined;
  if (cidr !== undefined) return cidr;
  throw new TypeError(
    `allowPrivateNetwork: ${JSON.stringify(text)} is not a CIDR block; write its first address and the length of ` +
      'its prefix, such as 10.1.0.0/16, 10.1.2.3/32 or fd12:3456::/32',
  );
}
