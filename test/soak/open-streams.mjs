// Callers and upstreams of many open streams, over bare sockets: what is measured is the gateway, not its peers.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const SWITCHING = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`;
const STREAMING = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

/** An upstream that keeps every stream open, and answers `/plain` at once. Its open sockets are in `open`. */
export async function streamUpstream() {
  const open = new Set();
  const server = createServer({ noDelay: true }, (socket) => {
    socket.setEncoding('latin1');
    socket.on('error', () => {});
    let head = '';
    let streaming = false;
    socket.on('data', (text) => {
      if (streaming) return;
      head += text;
      if (!head.includes('\r\n\r\n')) return;
      if (head.startsWith('GET /plain')) {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      } else {
        streaming = true;
        socket.webSocket = /\r\nupgrade: websocket\r\n/i.test(head);
        socket.write(socket.webSocket ? SWITCHING : STREAMING);
        open.add(socket);
        socket.once('close', () => open.delete(socket));
      }
      head = '';
    });
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  return {
    open,
    url: `http://127.0.0.1:${server.address().port}`,
    /** One event, or message, on every stream. */
    broadcast(text) {
      const event = `data: ${text}\n\n`;
      const chunk = `${event.length.toString(16)}\r\n${event}\r\n`;
      const frame = Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);
      for (const socket of open) socket.write(socket.webSocket ? frame : chunk);
    },
    close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

/** A caller with one open stream. `received` is what came behind its head; `lastByteAt`, `closedAt`: ms of the performance clock. */
export class StreamCaller {
  #socket;
  #head = '';
  received = '';
  lastByteAt;
  closedAt;

  static async open(port, mandate, { webSocket = false } = {}) {
    const caller = new StreamCaller();
    await caller.#begin(port, mandate, webSocket);
    return caller;
  }

  #begin(port, mandate, webSocket) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket = socket;
    socket.setEncoding('latin1');
    const upgrade = webSocket
      ? `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n`
      : '';
    socket.write(
      `GET /stream HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: Bearer ${mandate}\r\n` +
        `X-Caracal-Resource: resource://soak\r\n${upgrade}\r\n`,
    );
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', () => {
        this.closedAt = performance.now();
        reject(new Error(`closed: ${this.#head.slice(0, 200)}`));
      });
      let begun = false;
      socket.on('data', (text) => {
        if (begun) {
          this.received += text;
          this.lastByteAt = performance.now();
          return;
        }
        this.#head += text;
        const end = this.#head.indexOf('\r\n\r\n');
        if (end === -1) return;
        begun = true;
        this.received = this.#head.slice(end + 4);
        if (/^HTTP\/1\.1 (200|101) /.test(this.#head)) resolve();
        else reject(new Error(this.#head));
      });
    });
  }

  destroy() {
    this.#socket.destroy();
  }
}

/** Opens `count` streams, some at a time. */
export async function openStreams(count, open, atOnce = 50) {
  const callers = [];
  while (callers.length < count) {
    const batch = Math.min(atOnce, count - callers.length);
    callers.push(...(await Promise.all(Array.from({ length: batch }, open))));
  }
  return callers;
}

/** Waits until it holds; gives how long that took, ms. */
export async function eventually(what, holds, timeoutMs = 30_000) {
  const startedAt = performance.now();
  while (!holds()) {
    if (performance.now() - startedAt > timeoutMs) throw new Error(`waited ${timeoutMs} ms until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - startedAt;
}
