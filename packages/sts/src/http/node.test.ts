import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { receivedFromNode, targetParts } from './node.js';

const incoming = (parts: Partial<IncomingMessage>) => ({ rawHeaders: [], ...parts }) as unknown as IncomingMessage;

describe('targetParts', () => {
  it.each([
    ['/oauth/2/token', '/oauth/2/token', false],
    ['/oauth/2/token?', '/oauth/2/token', false],
    ['/oauth/2/token?x=1', '/oauth/2/token', true],
    ['/oauth/2/token?#', '/oauth/2/token', false],
    ['/oauth/2/token#?x=1', '/oauth/2/token', false],
    ['/oauth/./2/../2/token', '/oauth/2/token', false],
    ['http://tokens.example/oauth/2/token?x', '/oauth/2/token', true],
    ['//tokens.example/oauth/2/token', '//tokens.example/oauth/2/token', false],
    ['*', '', false],
    ['', '', false],
  ])('reads %s', (target, path, hasQuery) => {
    expect(targetParts(target)).toEqual({ path, hasQuery });
  });

  it('reads any target as a URL parser does', () => {
    const pieces = ['/', '.', '..', '%2e', 'oauth', '?', '#', '\\', 'ä', ' ', ';', '~', 'a-b_c', '%zz'];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces)), (parts) => {
        const target = `/${parts.join('')}`;
        const { pathname, search } = new URL(`http://tokens.example${target}`);
        expect(targetParts(target)).toEqual({ path: pathname, hasQuery: search !== '' });
      }),
    );
  });
});

describe('receivedFromNode', () => {
  it('finds headers whatever their case, and joins those that come again', () => {
    const rawHeaders = ['AUTHORIZATION', 'Basic YTpi', 'Content-Type', 'text/plain', 'authorization', 'Basic Yzpk'];
    const received = receivedFromNode(incoming({ method: 'POST', url: '/', rawHeaders }));
    expect(received.header('authorization')).toBe('Basic YTpi, Basic Yzpk');
    expect(received.header('content-type')).toBe('text/plain');
    expect(received.header('x-request-id')).toBeNull();
  });
});
