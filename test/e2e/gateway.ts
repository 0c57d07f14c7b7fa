import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createGateway,
  type GatewayOptions,
  type MemoryAuditSink,
  memoryAuditSink,
  type ResourceDefinition,
} from '@caracal/core';
import { attach } from '@caracal/node';
import { createTestIssuer } from '@caracal/testkit';

/** A gateway over real sockets, as a user would compose it. */
export interface TestGateway {
  readonly url: string;
  readonly audit: MemoryAuditSink;
  /** A mandate for every resource of this gateway, with these scopes. */
  mint(scope?: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts one that knows its own public URL before it is made. */
export async function startGateway(
  resources: (publicUrl: string) => readonly ResourceDefinition[],
  options: Partial<GatewayOptions> = {},
): Promise<TestGateway> {
  const issuer = await createTestIssuer();
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const audit = memoryAuditSink();
  const definitions = resources(url);
  const gateway = createGateway({
    issuers: [{ issuer: issuer.issuer, keys: issuer.jwks().keys }],
    resources: definitions,
    publicUrl: url,
    audit: { sink: audit },
    ...options,
  });
  const adapter = attach(server, gateway);
  return {
    url,
    audit,
    mint: (scope = '') => issuer.mint({ scope, target: definitions.map(({ identifier }) => identifier) }),
    close: async () => {
      await adapter.drain({ timeoutMs: 100 });
    },
  };
}
