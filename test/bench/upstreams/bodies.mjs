// The upstream for bodies: `GET /bytes?n=N` answers N bytes, `GET /events?n=N` N events, each written by itself, and a POST
// is read to its end before it is answered.
import { createServer } from 'node:http';
import { serve } from '../serve.mjs';

const BLOCK = Buffer.alloc(64 * 1024, 'x');
const EVENT = `data: ${'x'.repeat(100)}\n\n`;
const DONE = JSON.stringify({ id: '42' });

await serve(() => createServer(answer));

function answer(req, res) {
  const url = new URL(req.url, 'http://upstream');
  const count = Number(url.searchParams.get('n') ?? 0);
  if (req.method === 'POST') req.resume().on('end', () => res.end(DONE));
  else if (url.pathname.endsWith('/bytes')) bytes(res, count);
  else events(res, count);
}

function bytes(res, count) {
  res.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': count });
  let left = count;
  const more = () => {
    while (left > 0) {
      const block = left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK;
      left -= block.length;
      if (!res.write(block)) return;
    }
    res.end();
  };
  res.on('drain', more);
  more();
}

function events(res, count) {
  res.writeHead(200, { 'Content-Type': 'text/event-stream' });
  let left = count;
  const next = () => {
    if (left-- === 0) return res.end();
    if (res.write(EVENT)) setImmediate(next);
    else res.once('drain', next);
  };
  next();
}
