import { rename, stat, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { ConfigurationError, ListenError } from '@caracal/server';
import { afterEach, describe, expect, it } from 'vitest';
import { testCertificates } from '../../packages/transport/src/test-certificates.js';
import { ADMIN_TOKEN, type ServerWorld, serverWorld } from './server.js';

let world: ServerWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** The serial number of the certificate a listener shows, and the status of its answer. */
function shown(url: string, ca: string): Promise<{ serial: string; status: number }> {
  return new Promise((resolve, reject) => {
    const req = secureRequest(`${url}/livez`, { ca, agent: false }, (res) => {
      res.resume();
      resolve({ serial: (res.socket as TLSSocket).getPeerCertificate().serialNumber, status: res.statusCode! });
    });
    req.on('error', reject).end();
  });
}

describe('listeners', () => {
  it('serve TLS, and another certificate once its files have changed', async () => {
    const certificates = testCertificates();
    const next = testCertificates();
    let files = { cert: '', key: '' };
    world = await serverWorld(async (usual, directory) => {
      files = { cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key') };
      await writeFile(files.cert, certificates.addressed.cert);
      await writeFile(files.key, certificates.addressed.key);
      const tls = { cert: 'tls.crt', key: 'tls.key' };
      return {
        ...usual,
        gateway: { ...usual.gateway, tls },
        tokenService: { ...usual.tokenService!, tls },
        admin: { ...usual.admin!, tls },
      };
    });
    for (const url of Object.values(world.url)) expect(url).toMatch(/^https:/);
    const before = await shown(world.url.admin, certificates.ca);
    expect(before.status).toBe(200);
    expect((await shown(world.url.gateway, certificates.ca)).status).toBe(401);
    expect((await shown(world.url.tokenService, certificates.ca)).status).toBe(404);
    // A certificate without its key changes nothing.
    await writeFile(files.cert, next.addressed.cert);
    await expect
      .poll(() => world!.logged.filter(({ event }) => event === 'certificate_kept').length, { timeout: 60_000 })
      .toBeGreaterThanOrEqual(3);
    expect((await shown(world.url.admin, certificates.ca)).serial).toBe(before.serial);
    await writeFile(`${files.key}.new`, next.addressed.key);
    await rename(`${files.key}.new`, files.key);
    await expect
      .poll(() => world!.logged.filter(({ event }) => event === 'certificate_reloaded').length, { timeout: 60_000 })
      .toBe(3);
    for (const url of Object.values(world.url)) {
      expect((await shown(url, next.ca)).serial).not.toBe(before.serial);
      await expect(shown(url, certificates.ca)).rejects.toThrow();
    }
  });

  it('of the admin endpoint beyond loopback without TLS are refused, and nothing is left running', async () => {
    const started = serverWorld((usual) => ({ ...usual, admin: { ...usual.admin!, listen: '0.0.0.0:0' } }));
    await expect(started).rejects.toMatchObject({ problems: [{ path: 'admin.listen' }] });
    await expect(started).rejects.toThrow(ConfigurationError);
  });

  it('tell of an address that is taken, and give the state directory up', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;
    const started = serverWorld((usual) => ({ ...usual, admin: { ...usual.admin!, listen: port } }));
    await expect(started).rejects.toThrow(ListenError);
    await expect(started).rejects.toThrow(`admin cannot listen on http://127.0.0.1:${port} (EADDRINUSE)`);
    await new Promise((resolve) => taken.close(resolve));
  });

  it('may be a socket in the file system', async () => {
    world = await serverWorld((usual) => ({ ...usual, admin: { ...usual.admin!, listen: 'unix:admin.sock' } }));
    const socketPath = join(world.directory, 'admin.sock');
    expect(world.url.admin).toBe(`http+unix:${socketPath}`);
    const status = await new Promise((resolve, reject) => {
      const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` };
      request({ socketPath, path: '/v1/status', headers }, (res) => resolve(res.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
    expect((await stat(socketPath)).mode & 0o007).toBe(0);
  });

  it('of the gateway let nobody but a trusted proxy say who calls', async () => {
    world = await serverWorld();
    await world.call('x.y.z', '/v1/invoices/1', { 'X-Forwarded-For': '198.51.100.77' });
    expect(await evidenceOf(world)).not.toContain('198.51.100.77');
    await world.close();
    world = await serverWorld((usual) => ({ ...usual, gateway: { ...usual.gateway, trustedProxies: ['127.0.0.1'] } }));
    await world.call('x.y.z', '/v1/invoices/1', { 'X-Forwarded-For': '203.0.113.9, 198.51.100.77' });
    const told = await evidenceOf(world);
    expect(told).toContain('"peer":"198.51.100.77"');
    expect(told).not.toContain('203.0.113.9');
  });
});

async function evidenceOf({ admin }: ServerWorld): Promise<string> {
  for (;;) {
    const text = await (await admin('/v1/audit/records?decision=denied')).text();
    if (text.includes('request.denied')) return text;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
