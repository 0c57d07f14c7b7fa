import { writeFile } from 'node:fs/promises';
import { type ConfigurationFile, loadConfiguration } from '@caracal/server';
import { afterEach, describe, expect, it } from 'vitest';
import { BILLING, type ServerWorld, serverWorld } from './server.js';

let world: ServerWorld;
afterEach(() => world?.close());

async function start(change?: Parameters<typeof serverWorld>[0]): Promise<ConfigurationFile> {
  let written: ConfigurationFile | undefined;
  world = await serverWorld(async (usual, directory) => {
    written = change === undefined ? usual : await change(usual, directory);
    return written;
  });
  return written!;
}

/** The same with `GET /v1/invoices/{id}` needing another scope. */
function stricter(configuration: ConfigurationFile): ConfigurationFile {
  const [resource] = configuration.resources!;
  const operations = [{ method: 'GET', path: '/v1/invoices/{id}', scopes: ['billing:submit'] }];
  return { ...configuration, resources: [{ ...resource!, operations }] };
}

describe('a reload', () => {
  it('puts the whole file into force at once', async () => {
    const configuration = await start();
    const mandate = await world.mandate();
    expect((await world.call(mandate)).status).toBe(200);
    await world.write(stricter(configuration));
    const result = await world.server.reload();
    expect(result).toEqual({ ok: true, version: (await loadConfiguration(world.file)).version, unchanged: [] });
    expect((await world.call(mandate)).headers.get('x-caracal-error')).toBe('insufficient_scope');
    expect(world.server.status()).toMatchObject({
      lastReload: { ok: true },
      configuration: { version: (result as { version: string }).version },
    });
  });

  it('that changes the admin token ends the stream of whoever listens with the one before', async () => {
    const configuration = await start();
    const stream = await world.admin('/v1/audit/stream');
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
    const before = await world.call(await world.mandate());
    let text = '';
    while (!text.includes(before.headers.get('x-caracal-request-id')!)) text += (await reader.read()).value;
    await world.write({ ...configuration, admin: { ...configuration.admin, token: { env: 'AGENT_SECRET' } } });
    expect(await world.server.reload()).toMatchObject({ ok: true });
    expect((await world.admin('/v1/status')).status).toBe(401);
    const after = await world.call(await world.mandate());
    for (let read = await reader.read(); !read.done; read = await reader.read()) text += read.value; // it ends
    expect(text).not.toContain(after.headers.get('x-caracal-request-id'));
  });

  it.each<[string, (configuration: ConfigurationFile) => string, string]>([
    ['is no JSON', () => '{', ''],
    ['has mistakes', (usual) => JSON.stringify({ ...usual, providers: [] }), 'resources[0].provider'],
    [
      'names a secret of its own that cannot be had',
      (usual) => JSON.stringify({ ...usual, admin: { ...usual.admin, token: { env: 'NOT_SET' } } }),
      'admin.token',
    ],
    [
      'fits the running process only after a restart',
      (usual) =>
        JSON.stringify({
          ...usual,
          zone: 'other',
          resources: usual.resources!.map((resource) => ({ ...resource, zone: 'other' })),
        }),
      'tokenService.applications[0].grants[0].resource',
    ],
  ])('with a file that %s changes nothing and says so', async (_name, broken, path) => {
    const configuration = await start();
    const mandate = await world.mandate();
    const before = world.server.status().configuration;
    await writeFile(world.file, broken(configuration));
    const answer = await world.admin('/v1/reload', { method: 'POST' });
    expect(answer.status).toBe(422);
    const { problems } = (await answer.json()) as { problems: { path: string }[] };
    expect(problems.map((problem) => problem.path)).toContain(path);
    expect(world.server.status()).toMatchObject({ configuration: before, lastReload: { ok: false } });
    expect(world.logged.filter(({ event }) => event === 'configuration_kept').length).toBeGreaterThan(0);
    expect((await world.call(mandate)).status).toBe(200);
    expect((await world.mandate()).length).toBeGreaterThan(0);
  });

  it('names what only a restart changes, and changes the rest', async () => {
    const configuration = stricter(await start());
    const mandate = await world.mandate();
    await world.write({
      ...configuration,
      gateway: { ...configuration.gateway, listen: '127.0.0.1:1', audit: { retentionDays: 3 } },
      stores: { stateDirectory: 'elsewhere' },
    });
    const result = await world.server.reload();
    expect(result).toMatchObject({ ok: true, unchanged: ['stores', 'gateway.listen', 'gateway.audit.retentionDays'] });
    expect((await world.call(mandate)).headers.get('x-caracal-error')).toBe('insufficient_scope');
  });

  it('lets what is under way finish under the configuration it was admitted under, and revocation still cuts it', async () => {
    const configuration = await start((usual) => ({
      ...usual,
      resources: [
        { ...usual.resources![0]!, operations: [{ method: 'GET', path: '/v1/**', scopes: ['billing:read'] }] },
      ],
    }));
    const mandate = await world.mandate();
    const stream = await world.call(mandate, '/v1/invoices/stream');
    const reader = stream.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: first\n\n');
    await world.write({
      ...configuration,
      resources: [],
      tokenService: {
        ...configuration.tokenService!,
        applications: [{ ...configuration.tokenService!.applications[0]!, grants: [] }],
      },
    });
    expect(await world.server.reload()).toMatchObject({ ok: true });
    expect((await world.call(mandate)).headers.get('x-caracal-error')).toBe('resource_not_permitted');
    expect(world.server.gateway.liveExchanges).toBe(1);
    expect(world.server.status().retiringConfigurations).toBe(1);
    const { sid } = JSON.parse(Buffer.from(mandate.split('.')[1]!, 'base64url').toString());
    await world.admin('/v1/revocations', {
      method: 'POST',
      body: JSON.stringify({ anchors: [{ kind: 'sid', id: sid }] }),
    });
    await expect(reader.read()).rejects.toThrow(); // cut, not ended
    await expect.poll(() => world.server.status().retiringConfigurations, { timeout: 20_000 }).toBe(0);
    expect(world.server.gateway.liveExchanges).toBe(0);
    const records = await (await world.admin('/v1/audit/records?outcome=revoked_mid_stream')).text();
    expect(records).toContain(stream.headers.get('x-caracal-request-id'));
  });

  it('of one after another ends with the last', async () => {
    const configuration = await start();
    const mandate = await world.mandate();
    const reloads = [];
    for (const next of [stricter(configuration), configuration, stricter(configuration), configuration]) {
      await world.write(next);
      reloads.push(world.server.reload());
    }
    for (const result of await Promise.all(reloads)) expect(result.ok).toBe(true);
    expect((await world.call(mandate)).status).toBe(200);
    expect(BILLING).toBe(world.server.configuration.resources[0]!.identifier);
  });
});
