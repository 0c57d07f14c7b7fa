import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WRITE_OUT_TIMEOUT_MS } from './node-caller.js';
import { FakeGateway } from './testing/fake-gateway.js';
import { answering, FakeTransport } from './testing/fake-transport.js';
import { eventually } from './testing/raw-client.js';
import { type Serving, serving } from './testing/serving.js';

const WEBSOCKET = ['Connection: Upgrade', 'Upgrade: websocket'];

let current: Serving;
afterEach(() => current.stop());

async function started(upstream?: ConstructorParameters<typeof FakeTransport>[0]) {
  const gateway = new FakeGateway();
  const transport = new FakeTransport(upstream);
  current = await serving(gateway, transport);
  const sockets: Socket[] = [];
  current.server.on('connection', (socket: Socket) => sockets.push(socket));
  return { gateway, transport, sockets, client: current.client() };
}

describe('a caller who asks for a WebSocket', () => {
  it('is relayed another answer in chunks, and reads it to its end', async () => {
    const { client, gateway } = await started(answering(403, ['X-Why', 'no'], 'refused'));
    client.get('/', ...WEBSOCKET).send('early bytes that are nothing now');
    const answer = await client.end();
    expect(answer).toMatch(/^HTTP\/1\.1 403 .*\r\nX-Why: no\r\n.*Connection: close\r\n.*7\r\nrefused\r\n0\r\n\r\n$/is);
    expect(client.ended).toBe('end');
    expect(gateway.exchanges[0]!.settlement?.outcome).toBe('executed');
  });

  it('is given up where it reads nothing of that answer', async () => {
    const { client, sockets, gateway } = await started(answering(403, [], 'x'.repeat(16 * 1024 * 1024)));
    client.socket.pause();
    client.get('/', ...WEBSOCKET);
    await eventually(() => gateway.exchanges[0]?.settlement !== undefined);
    expect(sockets[0]!.timeout).toBe(WRITE_OUT_TIMEOUT_MS);
    sockets[0]!.emit('timeout');
    expect(sockets[0]!.destroyed).toBe(true);
  });

  it('is broken off where the upstream breaks off', async () => {
    const { client, transport } = await started();
    client.get('/', ...WEBSOCKET);
    await eventually(() => transport.attempts.length === 1);
    transport.attempts[0]!.handler.onHead(200, []);
    transport.attempts[0]!.handler.onChunk(Buffer.from('part'));
    await client.until('part');
    transport.attempts[0]!.handler.onFailure({ kind: 'closed', cause: undefined });
    expect((await client.end()).endsWith('part\r\n')).toBe(true);
  });

  it('is let go when the server drains', async () => {
    const { client, transport } = await started();
    client.get('/', ...WEBSOCKET);
    await eventually(() => transport.attempts.length === 1);
    await current.server.drain({ timeoutMs: 1 });
    expect(await client.end()).toMatch(/^HTTP\/1\.1 502 /);
  });
});
