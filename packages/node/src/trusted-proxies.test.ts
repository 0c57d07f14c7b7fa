import { afterEach, describe, expect, it } from 'vitest';
import { FakeGateway, refusal } from './testing/fake-gateway.js';
import { FakeTransport } from './testing/fake-transport.js';
import { type Serving, serving } from './testing/serving.js';
import { MAX_FORWARDED_HOPS, peerReader } from './trusted-proxies.js';

const forwarded = (...lines: string[]) => ['Host', 'h', ...lines.flatMap((line) => ['X-Forwarded-For', line])];

describe('peerReader', () => {
  const read = peerReader(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']);

  it('believes nobody but the proxies in front', () => {
    expect(read('203.0.113.1', forwarded('198.51.100.1'))).toBe('203.0.113.1');
    expect(read('::1', forwarded('198.51.100.1'))).toBe('::1');
    expect(read('', forwarded('198.51.100.1'))).toBe('');
    expect(peerReader([])('10.0.0.1', forwarded('198.51.100.1'))).toBe('10.0.0.1');
  });

  it('answers the nearest address that is no trusted proxy, whatever the caller wrote before it', () => {
    expect(read('10.0.0.1', forwarded('198.51.100.1'))).toBe('198.51.100.1');
    expect(read('::ffff:10.0.0.1', forwarded('1.1.1.1, 198.51.100.1,192.0.2.7 , 10.9.9.9'))).toBe('198.51.100.1');
    expect(read('2001:db8::1', forwarded('1.1.1.1', '198.51.100.2', '10.0.0.2'))).toBe('198.51.100.2');
    expect(read('10.0.0.1', forwarded('10.0.0.3, 10.0.0.2'))).toBe('10.0.0.3');
    expect(read('10.0.0.1', ['x-forwarded-for', '198.51.100.3'])).toBe('198.51.100.3');
    expect(read('10.0.0.1', ['Host', 'h'])).toBe('10.0.0.1');
  });

  it('takes a port off, and stops at what is no address', () => {
    expect(read('10.0.0.1', forwarded('198.51.100.1:4711'))).toBe('198.51.100.1');
    expect(read('10.0.0.1', forwarded('[2001:db9::1]:4711'))).toBe('2001:db9::1');
    expect(read('10.0.0.1', forwarded('2001:db9::1'))).toBe('2001:db9::1');
    for (const text of ['unknown', '', '<script>', '198.51.100.1, ', 'fe80::1%eth0', '_hidden', '1.2.3']) {
      expect(read('10.0.0.1', forwarded(text))).toBe('10.0.0.1');
    }
    expect(read('10.0.0.1', forwarded('198.51.100.1, nonsense, 10.0.0.2'))).toBe('10.0.0.2');
  });

  it('looks at a bounded number of entries', () => {
    const long = Array.from({ length: MAX_FORWARDED_HOPS + 1 }, (_, index) => (index === 0 ? '8.8.8.8' : '10.0.0.2'));
    expect(read('10.0.0.1', forwarded(long.join()))).toBe('10.0.0.2');
  });

  it('takes a socket of the file system for a proxy where that is said', () => {
    expect(peerReader(['unix'])('', forwarded('198.51.100.1'))).toBe('198.51.100.1');
  });

  it.each(['', 'host', '10.0.0.0/33', '::/129', '10.0.0.0/8/8', 3])('refuses %j', (entry) => {
    expect(() => peerReader([entry as string])).toThrow(/"trustedProxies"/);
  });
});

describe('trustedProxies of a server', () => {
  let current: Serving;
  afterEach(() => current.stop());

  const peerWith = async (trustedProxies: readonly string[]): Promise<string> => {
    const gateway = new FakeGateway(() => refusal(401));
    current = await serving(gateway, new FakeTransport(), { trustedProxies });
    await current.client().get('/', 'X-Forwarded-For: 198.51.100.1').until('\r\n\r\n');
    return gateway.heads[0]!.peer.address;
  };

  it('names the caller behind a proxy that is trusted', async () => {
    expect(await peerWith(['127.0.0.0/8'])).toBe('198.51.100.1');
  });

  it('lets nobody else pose as another', async () => {
    expect(await peerWith(['10.0.0.0/8'])).toBe('127.0.0.1');
  });
});
