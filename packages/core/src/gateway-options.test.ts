import { describe, expect, it, vi } from 'vitest';
import { noCredential } from './attach/no-credential.js';
import { GATEWAY_DEFAULTS, type GatewayOptions, gatewaySettings } from './gateway-options.js';

const ISSUERS = [{ issuer: 'https://id.example', keys: [] }];
const RESOURCES = [{ identifier: 'resource://a', provider: noCredential() }];
const MINIMAL: GatewayOptions = { issuers: ISSUERS, resources: RESOURCES };

describe('gatewaySettings', () => {
  it('fills in the documented defaults', () => {
    expect(gatewaySettings(MINIMAL)).toMatchObject({ ...GATEWAY_DEFAULTS, corsOrigins: [], authorizers: [] });
  });

  it.each<[string, object, RegExp]>([
    ['an option nobody knows', { ...MINIMAL, maxStalenesMs: 1 }, /unknown option maxStalenesMs/],
    ['a nested option nobody knows', { ...MINIMAL, audit: { durabilty: 'synced' } }, /audit: unknown option durabilty/],
    ['no issuers', { ...MINIMAL, issuers: [] }, /issuers is empty/],
    ['neither resources nor a directory', { issuers: ISSUERS }, /either resources or directory/],
    ['both', { ...MINIMAL, directory: {} }, /either resources or directory/],
    ['a durability nobody knows', { ...MINIMAL, audit: { durability: 'sync' } }, /synced, written, buffered/],
    ['a wait without an end', { ...MINIMAL, portTimeoutMs: Number.POSITIVE_INFINITY }, /portTimeoutMs/],
    ['a wait that timers cannot hold', { ...MINIMAL, portTimeoutMs: 2 ** 31 }, /portTimeoutMs/],
    ['no wait at all', { ...MINIMAL, authorizerTimeoutMs: 0 }, /authorizerTimeoutMs/],
    ['a public URL with a path', { ...MINIMAL, publicUrl: 'https://gateway.example/x' }, /publicUrl/],
    ['a CORS origin that is none', { ...MINIMAL, cors: { origins: ['*'] } }, /cors\.origins/],
  ])('refuses %s by name', (_name, options, message) => {
    expect(() => gatewaySettings(options as GatewayOptions)).toThrow(TypeError);
    expect(() => gatewaySettings(options as GatewayOptions)).toThrow(message);
  });

  it('tells the console of a fault without the text of its cause, which may name anything', () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    try {
      const cause = new RangeError('connect 10.1.2.3 with key s3cret');
      gatewaySettings(MINIMAL).onFault({ requestId: 'r-1', code: 'internal_error', reason: 'pipeline', cause });
      expect(JSON.parse(said.mock.calls[0]![0] as string)).toEqual({
        level: 'error',
        requestId: 'r-1',
        code: 'internal_error',
        reason: 'pipeline',
        cause: 'RangeError',
      });
    } finally {
      said.mockRestore();
    }
  });

  it('does not let faults flood the console, and says how many it left out', () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    let now = 0;
    try {
      const clock = { now: () => 0, monotonic: () => now };
      const { onFault } = gatewaySettings({ ...MINIMAL, clock });
      const fault = { requestId: undefined, code: 'issuer_unavailable', reason: 'failed', cause: undefined } as const;
      for (let index = 0; index < 500; index++) onFault(fault);
      expect(said).toHaveBeenCalledTimes(10);
      now = 1000;
      onFault(fault);
      expect(JSON.parse(said.mock.lastCall![0] as string)).toMatchObject({ omitted: 490 });
    } finally {
      said.mockRestore();
    }
  });
});
