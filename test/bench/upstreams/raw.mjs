// The upstream of the bench: 1 kB of JSON for every request. It must cost as little as possible of the cores it shares
// with what is measured, so it parses nothing: the requests have no body, and each ends with an empty line.
import { createServer } from 'node:net';
import { serve } from '../serve.mjs';

const BODY = JSON.stringify({ id: '42', lines: 'x'.repeat(1024 - 22) });
const ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: application/json\r\nETag: "42"\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
);
const END_OF_HEAD = '\r\n\r\n';

await serve(() =>
  createServer((socket) => {
    let rest = '';
    socket.setNoDelay(true);
    socket.on('error', () => {}); // a proxy that is stopped resets its connections
    socket.on('data', (chunk) => {
      const heads = (rest + chunk.latin1Slice()).split(END_OF_HEAD);
      rest = heads.pop();
      for (let index = 0; index < heads.length; index++) socket.write(ANSWER);
    });
  }),
);
