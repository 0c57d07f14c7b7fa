import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeGateway, refusal } from './testing/fake-gateway.js';
import { answering, FakeTransport } from './testing/fake-transport.js';
import { eventually } from './testing/raw-client.js';
import { type Serving, serving } from './testing/serving.js';

let current: Serving;
afterEach(() => current.stop());

async function started(upstream?: ConstructorParameters<typeof FakeTransport>[0]) {
  const gateway = new FakeGateway((_, fake) => (fake.closedWith === undefined ? fake.exchange() : refusal(503)));
  const transport = new FakeTransport(upstream);
  current = await serving(gateway, transport);
  return { gateway, transport, server: current.server, client: current.client() };
}

const OK = answering(200, ['Content-Length', '2'], 'ok');

describe('drain', () => {
  it('accepts no more connections and closes idle ones at once, used and unused', async () => {
    const { client, server, gateway } = await started(OK);
    await client.get('/').until('ok');
    const unused = current.client();
    await once(unused.socket, 'connect');
    await new Promise((resolve) => setImmediate(resolve));
    await server.drain({ timeoutMs: 60_000 });
    await client.end();
    await unused.end();
    expect(gateway.closedWith).toBe(60_000);
    const late = connect(current.port, '127.0.0.1');
    const [error] = await once(late, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('lets an exchange finish, and says that the connection closes', async () => {
    const { client, server, transport } = await started();
    client.get('/');
    await eventually(() => transport.attempts.length === 1);
    const drained = server.drain({ timeoutMs: 60_000 });
    OK(transport.attempts[0]!);
    await drained;
    const answer = await client.end();
    expect(answer).toMatch(/\r\nConnection: close\r\n/);
    expect(answer.endsWith('ok')).toBe(true);
  });

  it('closes a connection after an answer that had promised to keep it', async () => {
    const { client, server, transport } = await started();
    client.get('/');
    await eventually(() => transport.attempts.length === 1);
    transport.attempts[0]!.handler.onHead(200, ['Content-Length', '2']);
    await client.until('\r\n\r\n');
    const drained = server.drain({ timeoutMs: 60_000 });
    transport.attempts[0]!.handler.onChunk(Buffer.from('ok'));
    transport.attempts[0]!.handler.onEnd();
    await drained;
    expect((await client.end()).endsWith('ok')).toBe(true);
    expect(client.ended).toBe('end');
  });

  it('does not cut an answer that is ended but not yet written out', async () => {
    const { client, server, transport, gateway } = await started();
    client.socket.pause();
    client.get('/');
    await eventually(() => transport.attempts.length === 1);
    const body = Buffer.alloc(16 * 1024 * 1024, 'x');
    transport.attempts[0]!.handler.onHead(200, ['Content-Length', String(body.length)]);
    transport.attempts[0]!.handler.onChunk(body);
    transport.attempts[0]!.handler.onEnd();
    await eventually(() => gateway.exchanges[0]!.settlement !== undefined);
    const drained = server.drain({ timeoutMs: 60_000 });
    client.socket.resume();
    await drained;
    expect((await client.end()).length).toBeGreaterThan(body.length);
  });

  it('answers what comes on a connection in use, and closes it', async () => {
    const { client, server, transport } = await started();
    client.get('/').get('/pipelined');
    await eventually(() => transport.attempts.length === 1);
    const drained = server.drain({ timeoutMs: 60_000 });
    transport.attempts[0]!.handler.onHead(200, ['Content-Length', '0']);
    transport.attempts[0]!.handler.onEnd();
    await drained;
    await client.end();
    expect(client.answers[0]).toMatch(/connection: close/i);
    expect(transport.attempts).toHaveLength(1);
  });

  it('cuts what takes longer, and closes everything', async () => {
    const { client, server, transport, gateway } = await started();
    client.get('/');
    const waiting = current.client().get('/');
    await eventually(() => transport.attempts.length === 2);
    const streaming = transport.attempts[0]!;
    streaming.handler.onHead(200, []);
    streaming.handler.onChunk(Buffer.from('part'));
    await server.drain({ timeoutMs: 20 });
    expect(gateway.exchanges.map(({ settlement }) => settlement?.outcome)).toEqual(['shutdown', 'shutdown']);
    const answers = [await client.end(), await waiting.end()];
    expect(answers.filter((answer) => answer.endsWith('part\r\n'))).toHaveLength(1);
    expect(answers.filter((answer) => answer.startsWith('HTTP/1.1 502 '))).toHaveLength(1);
    expect(server.listening).toBe(false);
    expect(transport.closed).toBe(0);
  });

  it('can be called again, and is then the same', async () => {
    const { server } = await started();
    const first = server.drain({ timeoutMs: 60_000 });
    expect(server.drain()).toBe(first);
    await first;
    await server.drain();
  });

  it('refuses a time that is none', async () => {
    const { server } = await started();
    expect(() => server.drain({ timeoutMs: Number.NaN })).toThrow(/"timeoutMs".*above 0/);
  });
});

describe('retire', () => {
  it('answers one more request on each connection, says that it is the last, and accepts no more', async () => {
    const { client, server, gateway } = await started(OK);
    await client.get('/').until('ok');
    const retired = server.retire({ timeoutMs: 60_000 });
    const late = connect(current.port, '127.0.0.1');
    expect((await once(late, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
    client.get('/again');
    const answers = await client.end();
    expect(answers.endsWith('ok')).toBe(true);
    expect(answers).toMatch(/\r\nConnection: close\r\n/);
    await retired;
    expect(gateway.closedWith).toBeUndefined();
    await server.drain({ timeoutMs: 60_000 });
  });

  it('keeps a connection whose answer had promised so for one more request', async () => {
    const { client, server, transport } = await started();
    client.get('/');
    await eventually(() => transport.attempts.length === 1);
    transport.attempts[0]!.handler.onHead(200, ['Content-Length', '2']);
    await client.until('\r\n\r\n');
    const retired = server.retire({ timeoutMs: 60_000 });
    transport.attempts[0]!.handler.onChunk(Buffer.from('ok'));
    transport.attempts[0]!.handler.onEnd();
    await client.until('ok');
    client.get('/again');
    await eventually(() => transport.attempts.length === 2);
    OK(transport.attempts[1]!);
    expect((await client.end()).endsWith('ok')).toBe(true);
    await retired;
  });
});
