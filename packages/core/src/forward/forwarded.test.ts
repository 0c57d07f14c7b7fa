import { describe, expect, it } from 'vitest';
import { forwardedHeaders } from './forwarded.js';

const facts = { peerAddress: '192.0.2.1', publicUrl: undefined, mountPrefix: '' };

describe('forwardedHeaders', () => {
  it("tells the client's address", () => {
    expect(forwardedHeaders('x-forwarded', facts)).toEqual(['X-Forwarded-For', '192.0.2.1']);
    expect(forwardedHeaders('forwarded', facts)).toEqual(['Forwarded', 'for=192.0.2.1']);
  });

  it('tells where the gateway is, from configuration', () => {
    const placed = { ...facts, publicUrl: 'https://gw.example:8443', mountPrefix: '/billing' };
    expect(forwardedHeaders('x-forwarded', placed)).toEqual([
      'X-Forwarded-For',
      '192.0.2.1',
      'X-Forwarded-Host',
      'gw.example:8443',
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Prefix',
      '/billing',
    ]);
    expect(forwardedHeaders('forwarded', placed)[1]).toBe('for=192.0.2.1;host="gw.example:8443";proto=https');
  });

  it.each([
    ['2001:db8::1', 'for="[2001:db8::1]"', '2001:db8::1'],
    ['::ffff:192.0.2.1', 'for=192.0.2.1', '192.0.2.1'],
    ['fe80::1%eth0', 'for="[fe80::1]"', 'fe80::1'],
  ])('writes %s plainly', (peerAddress, forwarded, plain) => {
    expect(forwardedHeaders('forwarded', { ...facts, peerAddress })).toEqual(['Forwarded', forwarded]);
    expect(forwardedHeaders('x-forwarded', { ...facts, peerAddress })).toEqual(['X-Forwarded-For', plain]);
  });

  it.each(['', 'unix:', 'a;proto=https', '1.2.3.4, 5.6.7.8'])('does not pass %j on', (peerAddress) => {
    expect(forwardedHeaders('forwarded', { ...facts, peerAddress })).toEqual(['Forwarded', 'for=unknown']);
    expect(forwardedHeaders('x-forwarded', { ...facts, peerAddress })).toEqual([]);
  });
});
