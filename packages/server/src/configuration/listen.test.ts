import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLocal, originOf, parseListen } from './listen.js';

describe('parseListen', () => {
  it.each([
    ['127.0.0.1:8081', '127.0.0.1', 8081],
    ['[::1]:8081', '::1', 8081],
    ['gateway.internal:1', 'gateway.internal', 1],
    ['8081', '127.0.0.1', 8081],
    [8081, '127.0.0.1', 8081],
    [0, '127.0.0.1', 0],
  ])('reads %j', (listen, host, port) => {
    expect(parseListen(listen)).toEqual({ kind: 'tcp', host, port });
  });

  it('reads a socket of the file system', () => {
    expect(parseListen('unix:/run/a.sock')).toEqual({ kind: 'unix', path: '/run/a.sock' });
  });

  it.each([
    '',
    ':8081',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '::1:80',
    '[1.2.3.4]:80',
    'unix:',
    -1,
    1.5,
    65_536,
    null,
    {},
  ])('takes %j for none', (listen) => {
    expect(parseListen(listen)).toBeUndefined();
  });

  it('answers what a URL can be made of, or nothing', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.domain().map((host) => `${host}:80`),
        ),
        (text) => {
          const address = parseListen(text);
          if (address?.kind === 'tcp') expect(URL.canParse(originOf(address, true))).toBe(true);
        },
      ),
    );
  });

  it('tells what only this machine reaches', () => {
    for (const local of ['127.0.0.1:1', '127.9.9.9:1', 'localhost:1', '[::1]:1', 'unix:/a', 1]) {
      expect(isLocal(parseListen(local)!)).toBe(true);
    }
    for (const remote of ['0.0.0.0:1', '[::]:1', '10.0.0.1:1', '127.0.0.1.example:1']) {
      expect(isLocal(parseListen(remote)!)).toBe(false);
    }
  });
});
