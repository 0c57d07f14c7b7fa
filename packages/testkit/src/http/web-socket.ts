import { createHash } from 'node:crypto';
import type { Answer, Reply, UpstreamRequest } from '../upstream.js';
import { FramePeer, frameBytes, OPCODE } from './frames.js';
import { type HeaderField, headerValue } from './message.js';

/** The key of every handshake of the suite. */
export const WEBSOCKET_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** What makes a request ask for a WebSocket. */
export const HANDSHAKE: readonly HeaderField[] = Object.freeze([
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', WEBSOCKET_KEY],
] as HeaderField[]);

/** The handshake with one header left out, or given another value. */
export function handshakeWith(name: string, value?: string): HeaderField[] {
  const wanted = name.toLowerCase();
  return HANDSHAKE.flatMap((field): HeaderField[] => {
    if (field[0].toLowerCase() !== wanted) return [field];
    return value === undefined ? [] : [[field[0], value]];
  });
}

/** What a server answers to a key. @see RFC 6455 section 4.2.2 */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** The head of a 101 that answers a request, and what else it is to say. */
export function switching(request: UpstreamRequest, headers: readonly HeaderField[] = []): string {
  const accept = acceptOf(headerValue(request.headers, 'sec-websocket-key') ?? '');
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return (
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${accept}\r\n${lines}\r\n`
  );
}

/** How a {@link webSocket} answers. */
export interface WebSocketAnswer {
  readonly headers?: readonly HeaderField[];
  /** Bytes in the same write as the 101. */
  readonly behind?: Uint8Array;
  /** The caller's end does not end the upstream's side. */
  readonly halfOpen?: boolean;
}

/** Answers with a WebSocket that behaves as said. */
export function webSocket(
  behave: (peer: FramePeer, reply: Reply) => Promise<void> | void,
  { headers, behind, halfOpen = false }: WebSocketAnswer = {},
): Answer {
  return async (request, reply) => {
    const peer = new FramePeer(request.takeOver({ halfOpen }), (bytes) => reply.write(bytes), false);
    await reply.write(Buffer.concat([Buffer.from(switching(request, headers), 'latin1'), behind ?? Buffer.alloc(0)]));
    await behave(peer, reply);
  };
}

/** Sends back what comes, frame by frame; answers a close frame with its own and ends. */
export async function echoFrames(peer: FramePeer, reply: Reply): Promise<void> {
  for (let frame = await peer.nextOrEnd(); frame !== undefined; frame = await peer.nextOrEnd()) {
    const { opcode, final, rsv1, payload } = frame;
    await peer.raw(frameBytes({ opcode, final, rsv1, payload }, false));
    if (opcode === OPCODE.close) break;
  }
  reply.end();
}
