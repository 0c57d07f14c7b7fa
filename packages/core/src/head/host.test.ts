import { describe, expect, it } from 'vitest';
import { hostName, isHost } from './host.js';

describe('isHost', () => {
  it.each([
    'example',
    'api.example.com',
    'API.Example:8443',
    '127.0.0.1:80',
    'under_score.example',
    '[::1]',
    '[2001:db8::1]:443',
    '[::ffff:127.0.0.1]',
  ])('accepts %s', (host) => {
    expect(isHost(host)).toBe(true);
  });

  it.each([
    '',
    ':80',
    'a:',
    'a:b',
    'a:99999',
    'a:123456',
    'a:1:2',
    'a b',
    'a,b',
    'a/b',
    'a@b',
    'a;b',
    'a%20b',
    'a\\b',
    '::1',
    '[]',
    '[a]',
    '[::1',
    '[::1]x',
    '[::1]:',
    '[fe80::1%25eth0]',
    'é.example',
    'a'.repeat(256),
  ])('refuses %j', (host) => {
    expect(isHost(host)).toBe(false);
  });

  it('takes the port off, and leaves the brackets', () => {
    expect(hostName('a.example:80')).toBe('a.example');
    expect(hostName('a.example')).toBe('a.example');
    expect(hostName('[::1]:80')).toBe('[::1]');
    expect(hostName('[::1]')).toBe('[::1]');
  });
});
