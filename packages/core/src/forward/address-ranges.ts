import { type Cidr, cidrs } from './cidr.js';

/**
 * Never dialled, whatever a resource allows: cloud metadata services, which hand credentials to whoever asks from
 * inside; link-local, which holds most of them; and what is no host at all.
 */
export const NEVER: readonly Cidr[] = cidrs([
  '0.0.0.0/8', // "this network"; Linux takes 0.0.0.0 for itself
  '::/128',
  '169.254.0.0/16', // link-local, with the metadata services of most clouds
  'fe80::/10',
  '100.100.100.200/32', // Alibaba Cloud, inside CGNAT
  '168.63.129.16/32', // Azure, inside what is otherwise public
  '192.0.0.192/32', // Oracle Cloud
  'fd00:ec2::/32', // AWS keeps this block for its link-local services, fd00:ec2::254 among them
  'fd20:ce::254/128', // Google Cloud
  '224.0.0.0/4', // multicast
  'ff00::/8',
  '255.255.255.255/32', // limited broadcast
]);

/** What `allowPrivateNetwork: true` adds: loopback, RFC 1918, CGNAT (RFC 6598), unique local (RFC 4193). */
export const PRIVATE: readonly Cidr[] = cidrs([
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '::1/128',
  'fc00::/7',
]);

/** All of IPv4, and the one IPv6 block out of which global unicast is assigned (IANA IPv6 address space). */
export const UNICAST: readonly Cidr[] = cidrs(['0.0.0.0/0', '2000::/3']);

/**
 * Blocks within {@link UNICAST} that are not globally reachable, or have no answer to that question.
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
export const SPECIAL: readonly Cidr[] = cidrs([
  '0.0.0.0/8', // RFC 791
  '10.0.0.0/8', // RFC 1918
  '100.64.0.0/10', // RFC 6598
  '127.0.0.0/8', // RFC 1122
  '169.254.0.0/16', // RFC 3927
  '172.16.0.0/12', // RFC 1918
  '192.0.0.0/24', // RFC 6890
  '192.0.2.0/24', // RFC 5737, documentation
  '192.88.99.0/24', // RFC 7526, the former 6to4 relays
  '192.168.0.0/16', // RFC 1918
  '198.18.0.0/15', // RFC 2544, benchmarking
  '198.51.100.0/24', // RFC 5737
  '203.0.113.0/24', // RFC 5737
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // RFC 1112, reserved
  '2001::/23', // RFC 2928, protocol assignments
  '2001:db8::/32', // RFC 3849, documentation
  '2002::/16', // 6to4: judged as the IPv4 address in it
  '3fff::/20', // RFC 9637, documentation
]);

/** Blocks within {@link SPECIAL} that the registries mark as globally reachable. */
export const REACHABLE: readonly Cidr[] = cidrs([
  '192.0.0.9/32', // RFC 7723, PCP anycast
  '192.0.0.10/32', // RFC 8155, TURN anycast
  '2001:1::1/128', // RFC 7723
  '2001:1::2/128', // RFC 8155
  '2001:1::3/128', // RFC 9665, SRP anycast
  '2001:3::/32', // RFC 7450, AMT
  '2001:4:112::/48', // RFC 7535, AS112
  '2001:20::/28', // RFC 7343, ORCHIDv2
  '2001:30::/28', // RFC 9374, DRIP
]);
