import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GatewayOptions, memoryAuditSink, memoryRevocationStore, noCredential } from '@caracal/core';
import { afterEach, describe, expect, it } from 'vitest';
import { listen } from '../../docs/examples/demo/listen.js';
import { type FirstGateway, type ReadinessRow, readinessChecks } from '../../docs/examples/demo/readiness.js';
import { startFirstGateway } from '../../docs/examples/first-gateway.js';

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function stateDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'caracal-first-'));
  closing.push(() => rm(directory, { recursive: true }));
  return directory;
}

async function start(changes?: Partial<GatewayOptions>): Promise<FirstGateway> {
  const gateway = await startFirstGateway(await stateDirectory(), changes);
  closing.push(gateway.close);
  return gateway;
}

async function rowsOf(gateway: FirstGateway): Promise<Record<string, ReadinessRow>> {
  const rows: Record<string, ReadinessRow> = {};
  for await (const row of readinessChecks(gateway)) rows[row.check] = row;
  return rows;
}

function redRows(rows: Record<string, ReadinessRow>): string[] {
  return Object.values(rows).flatMap(({ check, fault }) => (fault === undefined ? [] : [check]));
}

/** A relay that governs nothing, in the place of the gateway. */
async function relayTo(gateway: FirstGateway, change: (headers: Headers) => void): Promise<FirstGateway> {
  const server: Server = createServer((req, res) => {
    const headers = new Headers(Object.entries(req.headers) as [string, string][]);
    headers.delete('host');
    headers.delete('connection');
    change(headers);
    void fetch(gateway.url + req.url, { headers }).then(async (answer) => {
      res.writeHead(answer.status, [...answer.headers].filter(([name]) => name.startsWith('x-caracal')).flat());
      res.end(await answer.text());
    });
  });
  const url = await listen(server);
  closing.push(async () => server.close());
  return { ...gateway, url };
}

describe('the readiness checks of the first gateway', () => {
  it('are all green, each with a request id of its own', async () => {
    const rows = await rowsOf(await start());
    expect(redRows(rows)).toEqual([]);
    expect(new Set(Object.values(rows).map(({ requestId }) => requestId)).size).toBe(5);
  });

  it('an allowed request turns red when the upstream is gone', async () => {
    const gateway = await start();
    await gateway.upstream.close();
    expect((await rowsOf(gateway))['allowed request']).toMatchObject({ answered: '502 upstream_unreachable' });
  });

  it('an allowed request turns red when the evidence is missing', async () => {
    const gateway = await start({ audit: { sink: memoryAuditSink() } });
    expect((await rowsOf(gateway))['allowed request']!.fault).toBe('the evidence is missing');
  });

  it('an allowed request turns red when the upstream gets another credential than its own', async () => {
    const gateway = await start({});
    const other = await startFirstGateway(await stateDirectory(), {
      resources: [
        {
          identifier: 'resource://billing-api',
          upstreamUrl: gateway.upstream.url,
          allowPrivateNetwork: true,
          provider: noCredential(),
        },
      ],
    });
    closing.push(other.close);
    expect((await rowsOf({ ...other, upstream: gateway.upstream }))['allowed request']).toMatchObject({
      answered: '401',
    });
  });

  it('a missing mandate turns red when something in front adds one', async () => {
    const gateway = await start();
    const mandate = await gateway.issuer.mint({ scope: 'billing:read', target: ['resource://billing-api'] });
    const leaky = await relayTo(gateway, (headers) => {
      if (!headers.has('authorization')) headers.set('authorization', `Bearer ${mandate}`);
    });
    expect(redRows(await rowsOf(leaky))).toEqual(['missing mandate']);
  });

  it('a missing scope turns red when operations need none', async () => {
    const gateway = await start();
    const resources = [
      {
        identifier: 'resource://billing-api',
        upstreamUrl: gateway.upstream.url,
        allowPrivateNetwork: true,
        provider: noCredential(),
      },
    ];
    const lax = await startFirstGateway(await stateDirectory(), { resources });
    closing.push(lax.close);
    expect(redRows(await rowsOf({ ...lax, upstream: gateway.upstream }))).toContain('missing scope');
  });

  it('a wrong resource turns red when the directory names one the mandate reaches', async () => {
    const gateway = await start();
    const mandate = await gateway.issuer.mint({ scope: 'billing:read', target: ['resource://billing-api'] });
    const confused = await relayTo(gateway, (headers) => {
      const token = headers.get('authorization')?.slice(7);
      if (
        token !== undefined &&
        atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')).includes('payroll')
      ) {
        headers.set('authorization', `Bearer ${mandate}`);
      }
    });
    expect(redRows(await rowsOf(confused))).toEqual(['wrong resource']);
  });

  it('a revoked session turns red when the gateway reads another revocation store', async () => {
    const gateway = await start({ revocations: memoryRevocationStore() });
    expect(redRows(await rowsOf(gateway))).toEqual(['revoked session']);
  });
});
