import { describe, expect, it } from 'vitest';
import { peerNetwork } from './peer-network.js';

describe('peerNetwork', () => {
  it('is an IPv4 address itself, also where it is written inside IPv6', () => {
    expect(peerNetwork('192.0.2.7')).toBe('192.0.2.7');
    expect(peerNetwork('::ffff:192.0.2.7')).toBe('192.0.2.7');
  });

  it('is the /64 of an IPv6 address, however that is written', () => {
    const network = peerNetwork('2001:db8:0:1::1');
    expect(peerNetwork('2001:0DB8:0000:0001:ffff:ffff:ffff:ffff')).toBe(network);
    expect(peerNetwork('2001:db8::1:0:0:0:9')).toBe(network);
    expect(peerNetwork('2001:db8:0:2::1')).not.toBe(network);
    expect(peerNetwork('fe80::1%eth0')).toBe(peerNetwork('fe80::2'));
  });
});
