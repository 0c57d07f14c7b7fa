import { describe, expect, it } from 'vitest';
import { nodeHandler } from './handler.js';
import { createServer, httpServerOptions } from './server.js';
import { FakeGateway } from './testing/fake-gateway.js';
import { FakeTransport } from './testing/fake-transport.js';

describe('options', () => {
  const gateway = new FakeGateway().asGateway;

  it('that are unknown are refused by name', () => {
    expect(() => createServer(gateway, { retries: 3 } as object)).toThrow(
      /"retries".*transport, trustedProxies, headersTimeoutMs/,
    );
    expect(() => nodeHandler(gateway, { headersTimeoutMs: 3 } as object)).toThrow(/"headersTimeoutMs"/);
    expect(() => httpServerOptions({ transport: 3 } as object)).toThrow(/"transport"/);
  });

  it('that are no durations are refused by name', () => {
    expect(() => createServer(gateway, { headersTimeoutMs: 0 })).toThrow(/"headersTimeoutMs"/);
    expect(() => createServer(gateway, { keepAliveTimeoutMs: 1.5 })).toThrow(/"keepAliveTimeoutMs"/);
  });

  it('leave a limit on heads where there is none on requests', () => {
    const server = createServer(gateway, { transport: new FakeTransport() });
    expect(server.requestTimeout).toBe(0);
    expect(server.headersTimeout).toBe(60_000);
    expect(server.keepAliveTimeout).toBe(65_000);
  });

  it('leave a transport that was handed in to its owner', async () => {
    const transport = new FakeTransport();
    await nodeHandler(gateway, { transport }).close();
    expect(transport.closed).toBe(0);
  });
});
