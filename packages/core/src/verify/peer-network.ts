/**
 * Whom guesses and forgeries are counted against: an IPv4 address, or the /64 of an IPv6 one, because a single host has all of that
 * network's addresses. Anything else stands for itself. @see RFC 6177 section 2
 */
export function peerNetwork(address: string): string {
  if (!address.includes(':')) return address;
  const plain = address.toLowerCase().split('%', 1)[0]!;
  if (plain.startsWith('::ffff:') && plain.includes('.')) return plain.slice('::ffff:'.length);
  const [head = '', tail] = plain.split('::', 2);
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}
