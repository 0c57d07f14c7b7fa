import { createServer, type ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fetchTransport, judgeNoNames } from './fetch-transport.js';
import { fetchWorld, KEY } from './fetch-world.fixture.js';

const TEXT = 'what the upstream says '.repeat(50);
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closing.splice(0)) await close();
});

async function upstream(answer: (res: ServerResponse) => void = (res) => void res.end('ok')) {
  const world = await fetchWorld((_req, res) => answer(res));
  closing.push(() => world.close());
  return world;
}

describe('an answer that the upstream has encoded unasked', () => {
  it.each([
    ['gzip', gzipSync(TEXT)],
    ['x-gzip', gzipSync(TEXT)],
    ['deflate', deflateSync(TEXT)],
    ['br', brotliCompressSync(TEXT)],
    ['GZIP', gzipSync(TEXT)],
    ['gzip, br', brotliCompressSync(gzipSync(TEXT))],
  ])('%s arrives decoded, without the headers that describe it encoded', async (coding, bytes) => {
    const { ask, received } = await upstream((res) => {
      res.writeHead(200, {
        'Content-Encoding': coding,
        'Content-Length': bytes.length,
        'Content-Digest': 'sha-256=:AAAA:',
        'Content-MD5': 'AAAA',
        Digest: 'sha-256=AAAA',
        'Content-Type': 'text/plain',
        ETag: '"e"',
      });
      res.end(bytes);
    });
    const { response, text, records } = await ask({ headers: { 'accept-encoding': 'gzip, br' } });
    expect(text).toEqual({ whole: TEXT });
    for (const name of ['content-encoding', 'content-length', 'content-digest', 'content-md5', 'digest']) {
      expect([name, response.headers.get(name)]).toEqual([name, null]);
    }
    expect([response.headers.get('etag'), response.headers.get('content-type')]).toEqual(['"e"', 'text/plain']);
    expect(received[0]?.headers['accept-encoding']).toBe('identity');
    expect(records.at(-1)).toMatchObject({ outcome: 'executed', status: 200, responseBytes: TEXT.length });
  });

  it('in a coding that fetch does not know passes as it is, with its headers', async () => {
    const { ask } = await upstream((res) => {
      res.writeHead(200, { 'Content-Encoding': 'aes128gcm', 'Content-Length': 4 });
      res.end('aaaa');
    });
    const { response, text } = await ask();
    expect(text).toEqual({ whole: 'aaaa' });
    expect(response.headers.get('content-encoding')).toBe('aes128gcm');
  });

  it('keeps its headers where there is no body to decode', async () => {
    const { ask } = await upstream((res) => {
      res.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': 99 });
      res.end();
    });
    const { response } = await ask({ method: 'HEAD' });
    expect([response.headers.get('content-encoding'), response.headers.get('content-length')]).toEqual(['gzip', '99']);
  });

  it('in part is refused: what a part of it decodes to is not that part of the document', async () => {
    const bytes = gzipSync(TEXT);
    const { ask } = await upstream((res) => {
      res.writeHead(206, { 'Content-Encoding': 'gzip', 'Content-Range': `bytes 0-${bytes.length - 1}/10000` });
      res.end(bytes);
    });
    const { response, records } = await ask({ headers: { range: 'bytes=0-99' } });
    expect([response.status, response.headers.get('x-caracal-error')]).toEqual([502, 'upstream_invalid']);
    expect(records.at(-1)).toMatchObject({ outcome: 'upstream_error', error: 'upstream_invalid' });
  });

  it.each([
    ['breaks off', gzipSync(TEXT).subarray(0, 30), 99],
    ['is not what it says', Buffer.from('this is no gzip'), 15],
  ])('that %s never looks whole', async (_, bytes, length) => {
    const { ask } = await upstream((res) => {
      res.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': length });
      res.write(bytes, () => {
        if (bytes.length === length) res.end();
        else res.destroy();
      });
    });
    const { text, records } = await ask();
    expect(text).toHaveProperty('error');
    expect(records.at(-1)).toMatchObject({ outcome: 'upstream_aborted' });
  });
});

describe('what fetch cannot hold', () => {
  const REFUSED = [502, 'upstream_not_allowed'];
  const seen = ({ response }: { readonly response: Response }) => [
    response.status,
    response.headers.get('x-caracal-error'),
  ];

  it.each(['localhost', 'LOCALHOST', 'upstream.example', '127.0.0.1.example'])(
    'an upstream with the name %s is refused, because nobody can judge what it resolves to',
    async (host) => {
      const { ask, port, connections } = await upstream();
      const upstreamUrl = `http://${host}:${port}`;
      const answer = await ask({}, { upstreamUrl, allowPlaintext: true });
      expect(seen(answer)).toEqual(REFUSED);
      expect(connections()).toBe(0);
      expect(answer.records.at(-1)).toMatchObject({
        type: 'request.completed',
        outcome: 'upstream_error',
        error: 'upstream_not_allowed',
      });
      const told = JSON.stringify([answer.text, [...answer.response.headers], answer.records]);
      for (const secret of [KEY, answer.mandate]) expect(told).not.toContain(secret);
      // Nor does the caller learn where the upstream would have been.
      expect(JSON.stringify(answer.text)).not.toContain(String(port));
    },
  );

  it('a name passes where somebody else judges addresses, and says so', async () => {
    const { ask, port, received } = await upstream();
    const transport = fetchTransport({ [judgeNoNames]: true });
    const { response } = await ask({}, { upstreamUrl: `http://localhost:${port}` }, { transport });
    expect(response.status).toBe(200);
    expect(received[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  it.each([
    ['of the private network', 'http://127.0.0.1', false],
    ['in the old spellings', 'http://0x7f.1', false],
    ['of a cloud’s metadata, whatever the resource allows', 'http://169.254.169.254', true],
    ['of a mapped metadata service', 'http://[::ffff:169.254.169.254]', true],
  ])('a literal address %s is judged', async (_, origin, allowPrivateNetwork) => {
    const { ask, port, connections } = await upstream();
    for (const options of [{}, { transport: fetchTransport({ [judgeNoNames]: true }) }]) {
      const changes = { upstreamUrl: `${origin}:${port}`, allowPrivateNetwork, allowPlaintext: true };
      expect(seen(await ask({}, changes, options))).toEqual(REFUSED);
    }
    expect(connections()).toBe(0);
  });

  it('a resource with TLS options is refused: fetch would verify something else than what was asked for', async () => {
    const { ask, port, connections } = await upstream();
    const tls = { serverName: 'upstream.example' };
    const { response, records } = await ask({}, { upstreamUrl: `https://127.0.0.1:${port}`, tls });
    expect([response.status, response.headers.get('x-caracal-error')]).toEqual([502, 'upstream_unreachable']);
    expect(connections()).toBe(0);
    expect(records.at(-1)).toMatchObject({ outcome: 'upstream_error', error: 'upstream_unreachable' });
  });

  it('a certificate that nobody vouches for is refused by the runtime, and the credential stays here', async () => {
    // Speaks no TLS at all, which to the caller of fetch looks the same: no connection that can be trusted.
    let heard = '';
    const server = createServer();
    server.on('connection', (socket) => socket.on('data', (bytes) => (heard += bytes.toString('latin1'))));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(async () => {
      server.closeAllConnections();
      server.close();
    });
    const { ask } = await upstream();
    const { port } = server.address() as { port: number };
    const { response } = await ask({}, { upstreamUrl: `https://127.0.0.1:${port}` });
    expect(response.status).toBe(502);
    expect(heard).not.toContain(KEY);
  });

  it('redirects are not followed, so that the credential goes nowhere else', async () => {
    const elsewhere = await upstream();
    const { ask, received } = await upstream((res) => {
      res.writeHead(307, { Location: `http://127.0.0.1:${elsewhere.port}/` });
      res.end();
    });
    const { response } = await ask({ method: 'POST', body: 'x' });
    expect(response.status).toBe(307);
    expect([received.length, elsewhere.connections()]).toEqual([1, 0]);
  });
});

describe('an environment that would undo what a resource says', () => {
  it('is refused at creation where it turns TLS verification off', () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    expect(() => fetchTransport()).toThrow('NODE_TLS_REJECT_UNAUTHORIZED');
    expect(() => fetchTransport({ [judgeNoNames]: true })).toThrow('NODE_TLS_REJECT_UNAUTHORIZED');
  });

  it.each(['HTTP_PROXY', 'https_proxy', 'ALL_PROXY'])(
    'is refused where it names a proxy (%s) that fetch obeys',
    (name) => {
      vi.stubEnv(name, 'http://user:secret@127.0.0.1:9');
      expect(() => fetchTransport()).not.toThrow(); // Node by itself does not
      vi.stubEnv('NODE_USE_ENV_PROXY', '1');
      expect(() => fetchTransport()).toThrow(name);
      expect(() => fetchTransport()).not.toThrow('secret');
      expect(() => fetchTransport({ [judgeNoNames]: true })).not.toThrow();
    },
  );
});

it('an option that is none is named', () => {
  expect(() => fetchTransport({ extra: 1 } as never)).toThrow('extra');
});
