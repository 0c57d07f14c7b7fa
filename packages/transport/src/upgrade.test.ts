import type { Socket } from 'node:net';
import type { ChannelListener, Plan } from '@caracal/core';
import { afterEach, describe, expect, it } from 'vitest';
import { answer, onRequestHead, planTo, Recording, type TestUpstream, testUpstream } from './test-upstream.js';
import { undiciTransport } from './undici-transport.js';

const UPGRADE = { key: 'dGhlIHNhbXBsZSBub25jZQ==', protocols: [], extensions: [] };
const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Odd: \xe9\r\n\r\n';

let upstream: TestUpstream;
const transport = undiciTransport();
afterEach(() => upstream.close());

/** Keeps what a channel tells, text as latin1. */
class Listening implements ChannelListener {
  text = '';
  readonly events: string[] = [];
  onChunk(chunk: Uint8Array): void {
    this.text += Buffer.from(chunk).toString('latin1');
  }
  onReady(): void {
    this.events.push('ready');
  }
  onEnd(): void {
    this.events.push('end');
  }
  onFinish(): void {
    this.events.push('finish');
  }
  onClose(): void {
    this.events.push('close');
  }
}

async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

async function dispatched(script: (socket: Socket, head: string) => void, changes: Partial<Plan> = {}) {
  upstream = await testUpstream((socket) => onRequestHead(socket, (head) => script(socket, head)));
  const recording = new Recording();
  const attempt = transport.dispatch(planTo(upstream.origin, { upgrade: UPGRADE, ...changes }), null, recording);
  return { recording, attempt };
}

describe('an upgrade', () => {
  it('asks for the protocol and hands over the connection, with what came behind the 101 first', async () => {
    let sent = '';
    const { recording } = await dispatched((socket, head) => {
      sent = head;
      socket.write(Buffer.from(`${SWITCHING}behind`, 'latin1'));
      socket.on('data', (chunk) => socket.write(chunk));
    });
    await recording.seen('switch');
    expect(sent).toMatch(/^GET \/ HTTP\/1\.1\r\n/);
    expect(sent).toMatch(/\r\nconnection: upgrade\r\nupgrade: websocket\r\n/i);
    expect(recording.headers).toEqual(['Upgrade', 'websocket', 'Connection', 'Upgrade', 'X-Odd', '\xe9']);
    expect(recording.events.filter((event) => event !== 'sent')).toEqual(['start', 'switch']);
    const listening = new Listening();
    recording.channel!.open(listening);
    recording.channel!.write(Buffer.from(' and back'));
    await eventually(() => listening.text === 'behind and back');
    recording.channel!.destroy();
  });

  it('has an end in each direction', async () => {
    const { recording } = await dispatched((socket) => socket.end(SWITCHING));
    await recording.seen('switch');
    const listening = new Listening();
    recording.channel!.open(listening);
    await eventually(() => listening.events.includes('end'));
    expect(listening.events).toEqual(['end']);
    recording.channel!.end();
    await eventually(() => listening.events.includes('close'));
    expect(listening.events).toEqual(['end', 'finish', 'close']);
  });

  it('tells that it was reset, also where that happened before anybody listened', async () => {
    const { recording } = await dispatched((socket) => socket.write(SWITCHING));
    await recording.seen('switch');
    upstream.sockets[0]!.resetAndDestroy();
    const listening = new Listening();
    recording.channel!.open(listening);
    await eventually(() => listening.events.includes('close'));
  });

  it('says nothing after it was destroyed', async () => {
    const { recording } = await dispatched((socket) => socket.write(SWITCHING));
    await recording.seen('switch');
    const listening = new Listening();
    recording.channel!.open(listening);
    recording.channel!.destroy();
    await eventually(() => upstream.sockets[0]!.destroyed);
    expect(listening.events).toEqual([]);
  });

  it('gets any other answer as an ordinary one', async () => {
    const { recording } = await dispatched((socket) => socket.write(answer('no', '403 Forbidden')));
    const { status, body, events } = await recording.over;
    expect([status, body, events.at(-1)]).toEqual([403, 'no', 'end']);
  });

  it('is closed with the transport', async () => {
    const own = undiciTransport();
    upstream = await testUpstream((socket) => onRequestHead(socket, () => socket.write(SWITCHING)));
    const recording = new Recording();
    own.dispatch(planTo(upstream.origin, { upgrade: UPGRADE }), null, recording);
    await recording.seen('switch');
    recording.channel!.open(new Listening());
    await own.close();
    await eventually(() => upstream.sockets[0]!.destroyed);
  });

  it('that is given up in time is closed', async () => {
    const { recording, attempt } = await dispatched(() => {});
    await recording.seen('start');
    attempt.abort();
    await eventually(() => upstream.sockets[0]?.destroyed === true);
    expect(recording.events).not.toContain('switch');
  });
});
