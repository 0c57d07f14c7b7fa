import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AuditRecord, createGateway, type Fault, memoryAuditSink, noCredential } from '@caracal/core';
import { httpServerOptions } from '@caracal/node';
import { createTestIssuer, RawConnection, type RawResponse, requestBytes, startUpstream } from '@caracal/testkit';
import type Koa from 'koa';
import type { KoaGateway } from './koa-gateway.js';

/** The tag of every request here. */
export const CASE = 'koa';

/** A gateway with an upstream behind it, and whatever Koa application a test puts before it. */
export async function koaWorld() {
  const closing: (() => Promise<unknown>)[] = [];
  const upstream = await startUpstream();
  closing.push(() => upstream.close());
  const issuer = await createTestIssuer();
  const audit = memoryAuditSink();
  const faults: Fault[] = [];
  const gateway = createGateway({
    issuers: [{ issuer: issuer.issuer, keys: issuer.jwks().keys }],
    resources: [
      {
        identifier: 'resource://echo',
        upstreamUrl: upstream.origin,
        allowPrivateNetwork: true,
        provider: noCredential('provider://none'),
      },
      { identifier: 'resource://notes', provider: noCredential('provider://none') },
    ],
    audit: { sink: audit },
    onFault: (fault) => faults.push(fault),
  });
  const mandate = await issuer.mint({ target: ['resource://echo', 'resource://notes'], sub: 'ada' });

  /** Serves an application and opens a connection to it; `errors` is what its `error` event was told. */
  async function serve(app: Koa, caracal?: KoaGateway) {
    const errors: Error[] = [];
    app.on('error', (error) => errors.push(error));
    const server = createServer(httpServerOptions());
    if (caracal === undefined) server.on('request', app.callback());
    else caracal.attach(server, app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const connection = await RawConnection.open((server.address() as AddressInfo).port);
    closing.unshift(async () => {
      connection.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    async function send(parts: Parameters<typeof requestBytes>[0] = {}): Promise<RawResponse> {
      const { headers = [], ...rest } = parts;
      void connection.send(
        requestBytes({ mandate, resource: 'resource://echo', headers: [['X-Case', CASE], ...headers], ...rest }),
      );
      return connection.response(parts.method);
    }
    return { connection, errors, send };
  }

  /** The last record of this type, once there is one; the test's own time limit ends the wait. */
  async function record(type: AuditRecord['type']): Promise<AuditRecord> {
    for (;;) {
      const found = audit.records().findLast((each) => each.type === type);
      if (found !== undefined) return found;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async function close(): Promise<void> {
    for (const end of closing.splice(0)) await end();
    await gateway.close({ drainTimeoutMs: 0 });
  }
  return { gateway, upstream, audit, faults, mandate, serve, record, close };
}

/** A header of an answer. */
export function value({ headers }: Pick<RawResponse, 'headers'>, name: string): string | undefined {
  return headers.find(([candidate]) => candidate.toLowerCase() === name)?.[1];
}
