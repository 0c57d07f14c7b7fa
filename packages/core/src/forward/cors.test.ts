import { describe, expect, it } from 'vitest';
import { corsHeaders, preflightHeaders } from './cors.js';

const APP = 'https://app.example';

describe('corsHeaders', () => {
  it('says nothing where no origins are configured', () => {
    expect(corsHeaders([], APP)).toEqual([]);
  });

  it('allows a configured origin, exposes what the gateway says, and never allows credentials', () => {
    const headers = corsHeaders([APP], APP);
    expect(headers.slice(0, 2)).toEqual(['Access-Control-Allow-Origin', APP]);
    expect(headers[3]).toMatch(/X-Caracal-Error, X-Caracal-Request-Id, X-Caracal-Token-Expires-In/);
    expect(headers.slice(4)).toEqual(['Vary', 'Origin']);
    expect(headers).not.toContain('Access-Control-Allow-Credentials');
  });

  it.each([undefined, 'https://evil.example', 'http://app.example', 'https://app.example.evil', 'null'])(
    'allows nothing to %j',
    (origin) => {
      expect(corsHeaders([APP, 'null'], origin)).toEqual(['Vary', 'Origin']);
    },
  );
});

describe('preflightHeaders', () => {
  it('grants the method and headers asked for', () => {
    expect(preflightHeaders([APP], APP, { method: 'PATCH', headers: 'content-type, x-custom' })).toEqual([
      'Access-Control-Allow-Origin',
      APP,
      'Access-Control-Allow-Methods',
      'PATCH',
      'Access-Control-Allow-Headers',
      'Authorization, X-Caracal-Resource, content-type, x-custom',
      'Access-Control-Max-Age',
      '600',
      'Vary',
      'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    ]);
  });

  it('names no header twice and echoes nothing that is not a header name', () => {
    const headers = preflightHeaders([APP], APP, { method: 'GET', headers: 'authorization,,a b,x\u00e9,ok' });
    expect(headers?.[5]).toBe('X-Caracal-Resource, authorization, ok');
  });

  it('grants the needed headers where none are asked for', () => {
    const headers = preflightHeaders([APP], APP, { method: 'GET', headers: undefined });
    expect(headers?.[5]).toBe('Authorization, X-Caracal-Resource');
  });

  it('is not answered for other origins, nor for what is no method', () => {
    const asked = { method: 'GET', headers: undefined };
    expect(preflightHeaders([APP], 'https://evil.example', asked)).toBeUndefined();
    expect(preflightHeaders([APP], undefined, asked)).toBeUndefined();
    expect(preflightHeaders([], APP, asked)).toBeUndefined();
    expect(preflightHeaders([APP], APP, { method: 'GET, POST', headers: undefined })).toBeUndefined();
  });
});
