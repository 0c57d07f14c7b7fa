import type { Socket } from 'node:net';
import type { OutboundRequest } from '@caracal/core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type GuardedOutbound, guardedOutbound } from './guarded-outbound.js';
import { OutboundError, type OutboundErrorReason } from './outbound-error.js';
import { answer, onRequestHead, policy, type TestUpstream, testUpstream } from './test-upstream.js';

const closing: { close(): Promise<void> }[] = [];

function closeLater<T extends { close(): Promise<void> }>(value: T): T {
  closing.push(value);
  return value;
}

async function answering(script: (socket: Socket, head: string) => void): Promise<TestUpstream> {
  return closeLater(await testUpstream((socket) => onRequestHead(socket, (head) => script(socket, head))));
}

function get(url: string, changes: Partial<OutboundRequest> = {}): OutboundRequest {
  const defaults = { headers: [], body: undefined, timeoutMs: 5_000, maxBytes: 1_024, addressPolicy: policy() };
  return { method: 'GET', url, ...defaults, ...changes };
}

async function reasonOf(outbound: GuardedOutbound, request: OutboundRequest): Promise<OutboundErrorReason> {
  const error = await outbound.fetch(request).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(OutboundError);
  expect((error as OutboundError).message).not.toContain('secret');
  return (error as OutboundError).reason;
}

afterEach(async () => {
  for (const value of closing.splice(0)) await value.close();
});

describe('guardedOutbound', () => {
  it('fetches a document and asks for it as it is', async () => {
    let received = '';
    const { origin, port } = await answering((socket, head) => {
      received = head;
      socket.write(answer('{"keys":[]}', '200 OK', 'X-A: 1\r\nX-A: 2\r\n'));
    });
    const headers = ['Accept', 'application/json', 'Host', 'other.example', 'accept-encoding', 'gzip'];
    const outbound = closeLater(guardedOutbound());
    const { status, headers: answered, body } = await outbound.fetch(get(`${origin}/jwks?a=%20b#part`, { headers }));
    expect([status, new TextDecoder().decode(body)]).toEqual([200, '{"keys":[]}']);
    expect(answered).toEqual(['X-A', '1', 'X-A', '2', 'Content-Length', '11']);
    expect(received.split('\r\n')).toEqual([
      ...['GET /jwks?a=%20b HTTP/1.1', `host: 127.0.0.1:${port}`, 'connection: keep-alive'],
      ...['Accept-Encoding: identity', 'Accept: application/json', '', ''],
    ]);
  });

  it('posts a body with its length in bytes', async () => {
    let received = '';
    const { origin } = closeLater(
      await testUpstream((socket) =>
        socket.on('data', (chunk) => {
          received += chunk.toString();
          if (received.endsWith('é')) socket.write(answer('ok'));
        }),
      ),
    );
    const outbound = closeLater(guardedOutbound());
    expect((await outbound.fetch(get(`${origin}/token`, { method: 'POST', body: 'a=é' }))).status).toBe(200);
    expect(received).toContain('content-length: 4\r\n\r\na=é');
  });

  it('says that a post without a body has none', async () => {
    let received = '';
    const { origin } = await answering((socket, head) => {
      received = head;
      socket.write(answer('ok'));
    });
    await closeLater(guardedOutbound()).fetch(get(origin, { method: 'POST', body: '' }));
    expect(received).toContain('content-length: 0\r\n');
  });

  it('follows no redirect', async () => {
    const target = await answering((socket) => socket.write(answer('followed')));
    const { origin } = await answering((socket) =>
      socket.write(answer('', '302 Found', `Location: ${target.origin}/\r\n`)),
    );
    expect((await closeLater(guardedOutbound()).fetch(get(origin))).status).toBe(302);
    expect(target.sockets.length).toBe(0);
  });

  it('takes a document of exactly the limit, and breaks off one byte more', async () => {
    const { origin, sockets } = await answering((socket, head) => {
      const size = head.includes(' /fits ') ? 1_024 : 1_025;
      socket.write(
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`,
      );
      if (head.includes(' /fits ')) socket.write('0\r\n\r\n');
    });
    const outbound = closeLater(guardedOutbound());
    expect((await outbound.fetch(get(`${origin}/fits`))).body.byteLength).toBe(1_024);
    expect(await reasonOf(outbound, get(`${origin}/more`))).toBe('too_large');
    await vi.waitFor(() => expect(sockets.at(-1)!.destroyed).toBe(true));
  });

  it.each([
    ['no answer', ''],
    ['no end of the head', 'HTTP/1.1 200 OK\r\nX:'],
    ['no end of the body', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'],
  ])('has one deadline, also for %s', async (_name, bytes) => {
    const { origin, sockets } = await answering((socket) => socket.write(bytes));
    expect(await reasonOf(closeLater(guardedOutbound()), get(`${origin}/?secret`, { timeoutMs: 50 }))).toBe('timeout');
    await vi.waitFor(() => expect(sockets[0]?.destroyed).toBe(true));
  });

  it('tells what went wrong', async () => {
    const { origin } = await answering((socket, head) => {
      if (head.includes(' /closed?')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
      else if (head.includes(' /encoded?')) socket.write(answer('x', '200 OK', 'Content-Encoding: gzip\r\n'));
      else socket.write('garbage\r\n\r\n');
    });
    const gone = await testUpstream(() => {});
    await gone.close();
    const outbound = closeLater(guardedOutbound());
    expect(await reasonOf(outbound, get(`${origin}/closed?secret`))).toBe('closed');
    expect(await reasonOf(outbound, get(`${origin}/encoded?secret`))).toBe('encoded');
    expect(await reasonOf(outbound, get(`${origin}/?secret`))).toBe('invalid');
    expect(await reasonOf(outbound, get(`${gone.origin}/?secret`))).toBe('unreachable');
    expect(await reasonOf(outbound, get(`${origin}/?secret`, { addressPolicy: policy([]) }))).toBe('address');
  });

  it.each([
    ['a URL that is none', { url: 'secret' }],
    ['another scheme', { url: 'file:///etc/secret' }],
    ['userinfo', { url: 'http://user:secret@127.0.0.1/' }],
    ['no deadline', { timeoutMs: 0 }],
    ['no limit', { maxBytes: Number.NaN }],
  ])('refuses a request with %s', async (_name, changes) => {
    expect(await reasonOf(closeLater(guardedOutbound()), get('http://127.0.0.1:1/', changes))).toBe('request');
  });

  it('fails what is under way when it is closed, and what comes after', async () => {
    const { origin, sockets } = await answering(() => {});
    const outbound = guardedOutbound();
    const waiting = reasonOf(outbound, get(origin));
    await vi.waitFor(() => expect(sockets[0]?.bytesRead).toBeGreaterThan(0));
    await outbound.close();
    await outbound.close();
    expect(await waiting).toBe('closed');
    expect(await reasonOf(outbound, get(origin))).toBe('unreachable');
  });
});
