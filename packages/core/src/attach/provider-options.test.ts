import { describe, expect, it } from 'vitest';
import { authenticationScheme, credentialHeaderName, providerId, providerOrigins } from './provider-options.js';

describe('credentialHeaderName', () => {
  it('accepts Authorization and headers of the upstream’s own', () => {
    for (const name of ['Authorization', 'authorization', 'X-Api-Key', 'PRIVATE-TOKEN', 'apikey', 'x_api_key']) {
      expect(credentialHeaderName('apiKey', name)).toBe(name);
    }
  });

  it('refuses what the gateway removes, sets, or needs for framing, forwarding and tracing, in every spelling', () => {
    for (const name of [
      ...['Connection', 'Keep-Alive', 'TE', 'Trailer', 'Upgrade', 'Transfer-Encoding', 'Proxy-Authorization', 'Proxy'],
      ...['Host', 'Content-Length', 'Content-Type', 'content_length', 'Expect', 'HTTP2-Settings', 'Range'],
      ...['Forwarded', 'X-Forwarded-For', 'X_Forwarded_Host', 'X-Real-Ip', 'X-Client-Ip', 'True-Client-Ip', 'Via'],
      ...['X-Host', 'X-Original-URL', 'X-Rewrite-Url', 'X-Http-Method-Override', 'X-Method-Override'],
      ...['traceparent', 'tracestate', 'Baggage', 'X-Request-Id', 'X-Caracal-Resource', 'x.caracal.key'],
      ...['DPoP', 'Txn-Token', 'Cookie', 'Sec-WebSocket-Key', 'Accept', 'Accept-Encoding', 'If-Match'],
    ]) {
      expect(() => credentialHeaderName('apiKey', name), name).toThrow(`apiKey: header ${name} cannot carry`);
    }
  });

  it('refuses what is no header name', () => {
    for (const name of ['', 'X Api', 'X-Api:', 'X-Käy', 'X\r\nY', 'x'.repeat(129), undefined, 5]) {
      expect(() => credentialHeaderName('apiKey', name)).toThrow('apiKey: headerName is a header name');
    }
  });
});

describe('providerOrigins', () => {
  it('normalizes and freezes', () => {
    const origins = providerOrigins('apiKey', ['https://B.example:443/', 'http://127.0.0.1:80', 'https://b.example']);
    expect(origins).toEqual(['http://127.0.0.1', 'https://b.example']);
    expect(Object.isFrozen(origins)).toBe(true);
    expect(providerOrigins('apiKey', undefined)).toBeUndefined();
  });

  it('refuses lists nothing could go to, and quotes nothing', () => {
    expect(() => providerOrigins('apiKey', [])).toThrow('apiKey: origins is empty');
    for (const origin of ['https://user:pa55@a.example', 'https://a.example?key=pa55', 'pa55', 'data:,pa55']) {
      expect(() => providerOrigins('apiKey', [origin])).toThrow(TypeError);
      expect(() => providerOrigins('apiKey', [origin])).not.toThrow(/pa55/);
    }
    expect(() => providerOrigins('apiKey', 'https://a.example' as never)).toThrow('origins is a list');
  });
});

describe('providerId', () => {
  it('refuses what could not stand in a record', () => {
    expect(providerId('apiKey', 'provider://billing')).toBe('provider://billing');
    for (const id of ['', 'a b', 'ä', 'x'.repeat(513), undefined])
      expect(() => providerId('apiKey', id)).toThrow('apiKey: id');
  });
});

describe('authenticationScheme', () => {
  it('refuses what is no token', () => {
    expect(authenticationScheme('apiKey', 'Token')).toBe('Token');
    for (const scheme of ['', 'Bearer ', 'a b', 'a\n', undefined]) {
      expect(() => authenticationScheme('apiKey', scheme)).toThrow('apiKey: scheme');
    }
  });
});
