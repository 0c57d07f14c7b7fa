import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressPolicy, MAX_ALLOWED_CIDRS } from './address-policy.js';

const PUBLIC = addressPolicy(undefined);
const PRIVATE = addressPolicy(true);
const EVERYTHING = addressPolicy(['0.0.0.0/0', '::/0']);

/** An IPv4 address as two IPv6 groups. */
function groups(ipv4: string): string {
  const [a, b, c, d] = ipv4.split('.').map(Number);
  return `${((a! << 8) | b!).toString(16)}:${((c! << 8) | d!).toString(16)}`;
}

function inverted(ipv4: string): string {
  const octets = ipv4.split('.').map((octet) => String(Number(octet) ^ 0xff));
  return groups(octets.join('.'));
}

function spellings(ipv4: string): string[] {
  const [high, low] = groups(ipv4).split(':');
  const [a, b, c, d] = ipv4.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'));
  return [
    `::ffff:${ipv4}`,
    `::ffff:${high}:${low}`,
    `0:0:0:0:0:ffff:${high}:${low}`,
    `::${ipv4}`,
    `::${high}:${low}`,
    `::ffff:0:${high}:${low}`,
    `64:ff9b::${ipv4}`,
    `64:ff9b::${high}:${low}`,
    `64:ff9b:1::${high}:${low}`,
    `64:ff9b:1:${a}${b}:${c}:${d}00::`,
    `64:ff9b:1:${a}:${b}:${c}${d}::`,
    `64:ff9b:1:0:${a}:${b}${c}:${d}00:0`,
    `2002:${high}:${low}::1`,
    `2001:0:808:808:0:0:${inverted(ipv4)}`,
    `2001:0:${high}:${low}:0:0:${inverted('8.8.8.8')}`,
  ];
}

describe('addressPolicy', () => {
  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.15.255.255',
    '172.32.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '192.0.1.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '192.0.0.9',
    '192.0.0.10',
    '192.31.196.1',
    '192.52.193.1',
    '192.175.48.1',
    '2606:4700:4700::1111',
    '2620:4f:8000::1',
    '2001:4860:4860::8888',
    '2001:200::1',
    '2001:1::1',
    '2001:1::2',
    '2001:1::3',
    '2001:3::1',
    '2001:4:112::1',
    '2001:20::1',
    '2001:3f:ffff::1',
    '3ffe::1',
  ])('allows %s, which is globally reachable', (address) => {
    expect(PUBLIC.allows(address)).toBe(true);
  });

  it.each([
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '192.0.0.1',
    '192.0.0.8',
    '192.0.0.170',
    '192.0.2.1',
    '192.88.99.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '240.0.0.1',
    '::1',
    '100::1',
    '100:0:0:1::1',
    '2001:1::4',
    '2001:2::1',
    '2001:10::1',
    '2001:40::1',
    '2001:1ff::1',
    '2001:db8::1',
    '3fff::1',
    '3fff:fff::1',
    '5f00::1',
    'fc00::1',
    'fd12:3456::1',
    'fec0::1',
    '4000::1',
    '1000::1',
  ])('refuses %s, which is not', (address) => {
    expect(PUBLIC.allows(address)).toBe(false);
  });

  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '169.254.169.254',
    '169.254.170.2',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '224.0.0.1',
    '239.255.255.255',
    '255.255.255.255',
    '::',
    'fe80::1',
    'febf::1',
    'fd00:ec2::254',
    'fd20:ce::254',
    'ff02::1',
  ])('never allows %s, whatever is configured', (address) => {
    for (const policy of [PUBLIC, PRIVATE, EVERYTHING]) expect(policy.allows(address)).toBe(false);
  });

  it.each(['169.254.169.254', '100.100.100.200', '168.63.129.16'])('never allows %s inside an IPv6 address', (ipv4) => {
    for (const address of spellings(ipv4)) {
      for (const policy of [PUBLIC, PRIVATE, EVERYTHING]) {
        expect(policy.allows(address), address).toBe(false);
      }
    }
  });

  it('judges an embedded IPv4 address as that address', () => {
    for (const address of spellings('8.8.8.8')) expect(PUBLIC.allows(address), address).toBe(true);
    for (const address of spellings('10.1.2.3').filter((text) => !text.startsWith('2001:0:'))) {
      expect(PUBLIC.allows(address), address).toBe(false);
    }
    expect(PRIVATE.allows('::ffff:10.1.2.3')).toBe(true);
    expect(PRIVATE.allows('64:ff9b::10.1.2.3')).toBe(true);
    expect(addressPolicy(['10.0.0.0/8']).allows('::ffff:10.1.2.3')).toBe(true);
    expect(addressPolicy(['10.0.0.0/8']).allows('::ffff:192.168.0.1')).toBe(false);
  });

  it('refuses every embedding of every address that it refuses itself', () => {
    fc.assert(
      fc.property(fc.ipV4(), (ipv4) => {
        // In the local NAT64 block a reading in 0.0.0.0/8 says that another layout is meant.
        if (PUBLIC.allows(ipv4) || ipv4.startsWith('0.')) return;
        for (const address of spellings(ipv4)) expect(PUBLIC.allows(address), address).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('adds loopback, private, unique local and carrier-grade addresses on request', () => {
    const added = ['127.0.0.1', '::1', '10.0.0.1', '172.16.0.1', '192.168.0.1', 'fd12::1', 'fc00::1', '100.64.0.1'];
    for (const address of added) expect(PRIVATE.allows(address), address).toBe(true);
    expect(PRIVATE.allows('8.8.8.8')).toBe(true);
    for (const address of ['198.18.0.1', '192.0.2.1', '240.0.0.1', 'fec0::1', '2001:db8::1']) {
      expect(PRIVATE.allows(address), address).toBe(false);
    }
  });

  it('adds exactly the listed blocks', () => {
    const policy = addressPolicy(['10.1.0.0/16', 'fd12:3456::/32', '198.18.0.0/15']);
    for (const address of ['10.1.255.255', 'fd12:3456::1', '198.18.0.1', '8.8.8.8']) {
      expect(policy.allows(address), address).toBe(true);
    }
    for (const address of ['10.2.0.0', 'fd12:3457::1', '127.0.0.1']) {
      expect(policy.allows(address), address).toBe(false);
    }
  });

  it.each([
    '',
    'localhost',
    '8.8.8',
    '134744072',
    '0x8.8.8.8',
    '010.8.8.8',
    '8.8.8.8 ',
    '8.8.8.256',
    '[2606:4700::1]',
    '2606:4700::1%eth0',
    '2606:4700::1::2',
    '::ffff:010.8.8.8',
    '::ffff:0x8.8.8.8',
    '2606:4700::g',
  ])('refuses %j, which is no literal address', (text) => {
    expect(EVERYTHING.allows(text)).toBe(false);
  });

  it('answers for any text without throwing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4Extended(), fc.ipV6()), (text) => {
        expect(typeof EVERYTHING.allows(text)).toBe('boolean');
      }),
      { numRuns: 500 },
    );
  });

  it('has one key for equal permission', () => {
    expect(addressPolicy(false).key).toBe(addressPolicy(undefined).key);
    expect(addressPolicy([]).key).toBe(PUBLIC.key);
    expect(addressPolicy(['fd12:0:0::/48', '10.0.0.0/8']).key).toBe(
      addressPolicy(['10.0.0.0/8', 'FD12::/48', '10.0.0.0/8']).key,
    );
    expect(new Set([PUBLIC.key, PRIVATE.key, addressPolicy(['10.0.0.0/8']).key]).size).toBe(3);
  });

  it.each(['10.0.0.1', '10.0.0.0/33', '10.0.0.1/8', '10/8', '10.0.0.0/08', '::/129', 'fd00::1/8', 'x/8', '/8', ''])(
    'names %j, which is not a CIDR block',
    (text) => {
      expect(() => addressPolicy([text])).toThrow(new RegExp(`${JSON.stringify(text)} is not a CIDR block`));
    },
  );

  it('refuses what is neither a boolean nor a list, and a list without bound', () => {
    expect(() => addressPolicy('10.0.0.0/8' as never)).toThrow(TypeError);
    expect(() => addressPolicy([8 as never])).toThrow(/8 is not a CIDR block/);
    expect(() => addressPolicy(new Array(MAX_ALLOWED_CIDRS + 1).fill('10.0.0.0/8'))).toThrow(TypeError);
  });
});
