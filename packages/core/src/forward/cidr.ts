import ipaddr from 'ipaddr.js';

/** A resolved address, parsed. */
export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A block of addresses: its first one and the length of its prefix in bits. */
export type Cidr = readonly [Address, number];

/**
 * Parses a literal address; `undefined` for anything else. Only four decimal parts make an IPv4 address here: the
 * octal, hexadecimal and shortened forms that `inet_aton` knows mean different hosts to different software.
 */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) return ipaddr.IPv4.isValidFourPartDecimal(text) ? ipaddr.IPv4.parse(text) : undefined;
  // A zone id names an interface of this machine, which nothing reached through a gateway needs.
  if (text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined;
  const tail = text.slice(text.lastIndexOf(':') + 1);
  if (tail.includes('.') && !ipaddr.IPv4.isValidFourPartDecimal(tail)) return undefined;
  return ipaddr.IPv6.parse(text);
}

/** Parses `address/bits`; `undefined` for anything else, bits set after the prefix included. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const address = parseAddress(text.slice(0, Math.max(slash, 0)));
  const bits = text.slice(slash + 1);
  if (address === undefined || !/^(0|[1-9]\d{0,2})$/.test(bits)) return undefined;
  const length = Number(bits);
  const bytes = address.toByteArray();
  if (length > bytes.length * 8) return undefined;
  for (let bit = length; bit < bytes.length * 8; bit++) {
    if ((bytes[bit >> 3]! & (0x80 >> (bit & 7))) !== 0) return undefined;
  }
  return [address, length];
}

/** Parses blocks that are written in the source. */
export function cidrs(texts: readonly string[]): readonly Cidr[] {
  return texts.map((text) => {
    const cidr = parseCidr(text);
    if (cidr === undefined) throw new TypeError(`${text} is not a CIDR block`);
    return cidr;
  });
}

/** One spelling for each block: `10.0.0.0/8`, `fc00::/7`. */
export function formatCidr([address, length]: Cidr): string {
  return `${address.toString()}/${length}`;
}

/** Whether one of the blocks holds the address. */
export function isIn(address: Address, blocks: readonly Cidr[]): boolean {
  const kind = address.kind();
  for (const [network, length] of blocks) if (network.kind() === kind && address.match(network, length)) return true;
  return false;
}
