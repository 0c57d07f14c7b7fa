import { X509Certificate } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import { createServer, type TlsOptions as ServerOptions, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type TestCertificates, testCertificates } from './test-certificates.js';
import { answer, onRequestHead, planTo, send, serve, type TestUpstream } from './test-upstream.js';
import { undiciTransport } from './undici-transport.js';

const closing: { close(): Promise<void> }[] = [];
let certificates: TestCertificates;

const lookup: LookupFunction = (_name, _options, callback) =>
  process.nextTick(callback, null, [{ address: '127.0.0.1', family: 4 }]);

function closeLater<T extends { close(): Promise<void> }>(value: T): T {
  closing.push(value);
  return value;
}

async function secureUpstream(options: ServerOptions): Promise<TestUpstream & { sawRequest(): boolean }> {
  let requests = 0;
  const server = createServer({ ALPNProtocols: ['h2', 'http/1.1'], ...options });
  server.on('tlsClientError', () => {}); // A client that does not trust the certificate is part of the test.
  const upstream = await serve(server, 'https', (socket) =>
    onRequestHead(socket, () => {
      requests++;
      const { servername, alpnProtocol } = socket as TLSSocket & { servername: string | false };
      const client = (socket as TLSSocket).getPeerCertificate().subject?.CN ?? 'nobody';
      socket.write(answer(`${servername} ${alpnProtocol} ${client}`));
    }),
  );
  return closeLater(Object.assign(upstream, { sawRequest: () => requests > 0 }));
}

beforeAll(() => {
  certificates = testCertificates();
});

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const value of closing.splice(0)) await value.close();
});

describe('TLS', () => {
  it('verifies the certificate against the host, names it to the server, and speaks HTTP/1.1', async () => {
    const { port } = await secureUpstream(certificates.named);
    const transport = closeLater(undiciTransport({ lookup }));
    const plan = planTo(`https://upstream.example:${port}`, { tls: { ca: certificates.ca } });
    const first = await send(transport, plan);
    expect(first.body).toBe('upstream.example http/1.1 nobody');
    expect((await send(transport, plan)).reused).toBe(true);
  });

  it('verifies a literal address against the certificate, without naming it to the server', async () => {
    const { port } = await secureUpstream(certificates.addressed);
    const plan = planTo(`https://127.0.0.1:${port}`, { tls: { ca: certificates.ca } });
    expect((await send(closeLater(undiciTransport()), plan)).body).toBe('false http/1.1 nobody');
  });

  it('uses serverName instead of the host where it is given', async () => {
    const { port } = await secureUpstream(certificates.named);
    const tls = { ca: certificates.ca, serverName: 'upstream.example' };
    const plan = planTo(`https://127.0.0.1:${port}`, { tls });
    expect((await send(closeLater(undiciTransport()), plan)).body).toBe('upstream.example http/1.1 nobody');
  });

  it('is not confused by the Host header', async () => {
    const { port, sockets } = await secureUpstream(certificates.named);
    const transport = closeLater(undiciTransport({ lookup }));
    for (const host of ['a.example', 'b.example']) {
      const changes = { tls: { ca: certificates.ca }, headers: ['Host', host] };
      const { body } = await send(transport, planTo(`https://upstream.example:${port}`, changes));
      expect(body).toBe('upstream.example http/1.1 nobody');
    }
    expect(sockets.length).toBe(1);
  });

  it('presents the client certificate', async () => {
    const { port } = await secureUpstream({ ...certificates.named, ca: certificates.ca, requestCert: true });
    const tls = { ca: certificates.ca, ...certificates.addressed };
    const { body } = await send(
      closeLater(undiciTransport({ lookup })),
      planTo(`https://upstream.example:${port}`, { tls }),
    );
    expect(body).toBe('upstream.example http/1.1 addressed');
  });

  it.each([
    ['an authority nobody named', () => certificates.named, undefined],
    ['a certificate that is its own authority', () => certificates.selfSigned, () => certificates.ca],
    ['a certificate for another name', () => certificates.addressed, () => certificates.ca],
  ])('sends nothing to an upstream with %s', async (_name, own, ca) => {
    const { port, sawRequest } = await secureUpstream(own());
    const plan = planTo(`https://upstream.example:${port}`, { tls: ca && { ca: ca() } });
    expect((await send(closeLater(undiciTransport({ lookup })), plan)).events).toEqual(['failure unreachable']);
    expect(sawRequest()).toBe(false);
  });

  it('verifies although the environment is changed after the transport was made', async () => {
    const { port, sawRequest } = await secureUpstream(certificates.selfSigned);
    const transport = closeLater(undiciTransport({ lookup }));
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const plan = planTo(`https://upstream.example:${port}`);
    expect((await send(transport, plan)).events).toEqual(['failure unreachable']);
    expect(sawRequest()).toBe(false);
  });

  it('shares connections between equal options, and none between unequal ones', async () => {
    const { port, sockets } = await secureUpstream(certificates.named);
    const transport = closeLater(undiciTransport({ lookup }));
    const to = (tls: { ca: string; serverName?: string }) =>
      send(transport, planTo(`https://upstream.example:${port}`, { tls }));
    await to({ ca: certificates.ca });
    expect((await to({ ca: certificates.ca })).reused).toBe(true);
    expect((await to({ ca: certificates.ca, serverName: 'upstream.example' })).reused).toBe(false);
    expect(sockets.length).toBe(2);
  });

  it('fails, and does not throw, where the PEM text is not usable', async () => {
    const plan = planTo('https://upstream.example', { tls: { cert: 'nonsense', key: 'nonsense' } });
    const { events, failure } = await send(closeLater(undiciTransport({ lookup })), plan);
    expect(events).toEqual(['failure unreachable']);
    expect(failure?.cause).toBeInstanceOf(Error);
  });

  it('is tested with certificates that are in force', () => {
    expect(new X509Certificate(certificates.named.cert).verify(new X509Certificate(certificates.ca).publicKey)).toBe(
      true,
    );
  });
});
