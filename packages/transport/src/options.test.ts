import { afterEach, describe, expect, it, vi } from 'vitest';
import { guardedOutbound } from './guarded-outbound.js';
import {
  DEFAULT_KEEP_ALIVE_MAX_TIMEOUT_MS,
  DEFAULT_KEEP_ALIVE_TIMEOUT_MS,
  DEFAULT_MAX_CONNECTIONS,
  DEFAULT_MAX_POOLS,
  DEFAULT_MAX_WAITING,
  resolveTransportOptions,
} from './options.js';
import { undiciTransport } from './undici-transport.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('transport options', () => {
  it('have the documented defaults and are frozen', () => {
    const options = resolveTransportOptions();
    expect(options).toMatchObject({
      maxConnections: DEFAULT_MAX_CONNECTIONS,
      maxWaiting: DEFAULT_MAX_WAITING,
      maxPools: DEFAULT_MAX_POOLS,
      keepAliveTimeoutMs: DEFAULT_KEEP_ALIVE_TIMEOUT_MS,
      keepAliveMaxTimeoutMs: DEFAULT_KEEP_ALIVE_MAX_TIMEOUT_MS,
    });
    expect(Object.isFrozen(options)).toBe(true);
  });

  it.each([{ connections: 1 }, { rejectUnauthorized: false }, { tls: {} }])(
    'refuse the unknown %o by name',
    (options) => {
      expect(() => undiciTransport(options as object)).toThrow(TypeError);
      expect(() => undiciTransport(options as object)).toThrow(`"${Object.keys(options)[0]}"`);
    },
  );

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null])('refuse the number %o', (value) => {
    expect(() => undiciTransport({ maxConnections: value as number })).toThrow(/"maxConnections" must be a positive/);
  });

  it('refuse a lookup that is no function', () => {
    expect(() => undiciTransport({ lookup: 'dns' as never })).toThrow(/"lookup"/);
  });

  it.each([undiciTransport, guardedOutbound])('%o refuses an environment that turns TLS verification off', (create) => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    expect(() => create()).toThrow(TypeError);
    expect(() => create()).toThrow(/NODE_TLS_REJECT_UNAUTHORIZED=0 .* unset it/);
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '1');
    expect(() => create()).not.toThrow();
  });
});
