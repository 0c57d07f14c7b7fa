// Both ends of one big body: a caller on a bare socket, and an upstream. They count; nothing is kept.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';

const CHUNK = Buffer.alloc(64 * 1024, 'x');

/** An upstream that counts what is posted, and answers `GET /download?bytes=N` with so many bytes. */
export async function bodyUpstream() {
  const server = createServer((req, res) => {
    if (req.method === 'GET') {
      const bytes = Number(new URL(req.url, 'http://upstream.test').searchParams.get('bytes'));
      res.writeHead(200, { 'Content-Length': bytes, 'Content-Type': 'application/octet-stream' });
      void send(res, bytes).then(() => res.end());
      return;
    }
    let bytes = 0;
    req.on('data', (chunk) => {
      bytes += chunk.length;
    });
    req.on('end', () => res.end(String(bytes)));
  });
  server.requestTimeout = 0; // gigabytes take their time
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/**
 * Sends one request with `bytes` of body, or asks for an answer that long, and sees to it that all of them arrived.
 * `onProgress` hears how many have passed the caller so far.
 */
export async function transfer({ port, mandate, resource, direction, bytes, onProgress = () => {} }) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const failed = once(socket, 'close').then(() => {
    throw new Error(`the connection was closed at ${socket.bytesRead} bytes down, ${socket.bytesWritten} up`);
  });
  const answered = answerOf(socket, direction === 'down' ? onProgress : () => {});
  const up = direction === 'up';
  socket.write(
    `${up ? 'POST /upload' : `GET /download?bytes=${bytes}`} HTTP/1.1\r\nHost: gateway.test\r\n` +
      `Authorization: Bearer ${mandate}\r\nX-Caracal-Resource: ${resource}\r\n` +
      `${up ? `Content-Length: ${bytes}\r\n` : ''}\r\n`,
  );
  const work = async () => {
    if (up) await send(socket, bytes, onProgress);
    const { status, length, text } = await answered;
    const arrived = up ? Number(text) : length;
    if (status !== 200 || arrived !== bytes) throw new Error(`${status}: ${arrived} of ${bytes} bytes; ${text}`);
  };
  try {
    await Promise.race([work(), failed]);
  } finally {
    failed.catch(() => {}); // it closes now, and nobody waits for it any more
    socket.destroy();
  }
}

/** Writes so many bytes, as fast as they are taken. */
async function send(stream, bytes, onProgress = () => {}) {
  for (let sent = 0; sent < bytes && !stream.destroyed; ) {
    const chunk = bytes - sent < CHUNK.length ? CHUNK.subarray(0, bytes - sent) : CHUNK;
    sent += chunk.length;
    if (!stream.write(chunk)) await once(stream, 'drain');
    onProgress(sent);
  }
}

/** One answer: its status, the length of its body, and how that begins. By length or in chunks. */
function answerOf(socket, onProgress) {
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0);
    let status;
    let text = '';
    let rest;
    let length = 0;
    socket.on('error', reject);
    socket.on('data', (data) => {
      let body = data;
      if (status === undefined) {
        head = Buffer.concat([head, data]);
        const end = head.indexOf('\r\n\r\n');
        if (end === -1) return;
        const lines = head.toString('latin1', 0, end);
        status = Number(lines.slice(9, 12));
        const declared = /\r\ncontent-length: (\d+)/i.exec(lines)?.[1];
        if (declared === undefined) rest = chunkCounter();
        else rest = lengthCounter(Number(declared));
        body = head.subarray(end + 4);
      }
      if (text.length < 200) text += body.toString('latin1', 0, 200);
      const seen = rest(body);
      length = seen.length;
      onProgress(length);
      if (seen.ended) resolve({ status, length, text: seen.text ?? text });
    });
  });
}

function lengthCounter(declared) {
  let length = 0;
  return (body) => {
    length += body.length;
    return { length, ended: length >= declared };
  };
}

/** Counts what stands in chunks, without their framing. @see RFC 9112 section 7.1 */
function chunkCounter() {
  let length = 0;
  let line = '';
  /** Bytes of the chunk that are still to come, with the line break behind it. */
  let left = 0;
  let text = '';
  return (body) => {
    let at = 0;
    while (at < body.length) {
      if (left > 0) {
        const taken = Math.min(left, body.length - at);
        const content = Math.max(0, Math.min(taken, left - 2));
        length += content;
        if (text.length < 200) text += body.toString('latin1', at, at + Math.min(content, 200));
        left -= taken;
        at += taken;
        continue;
      }
      const byte = String.fromCharCode(body[at]);
      at += 1;
      line += byte;
      if (!line.endsWith('\r\n')) continue;
      const size = Number.parseInt(line, 16);
      line = '';
      if (size === 0) return { length, text, ended: true };
      left = size + 2;
    }
    return { length, text, ended: false };
  };
}
