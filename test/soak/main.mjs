// Gigabytes through the gateway, with its memory beside them: `pnpm soak`. Figures go to docs/soak.md.
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { createTestIssuer } from '@caracal/testkit';
import { startGatewayProcess } from './gateway-process.mjs';

const MIB = 1024 * 1024;
const ALLOWED_GROWTH_MIB = 64;

const issuer = await createTestIssuer();
const upstream = createServer(answer);
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');

const { port, rss, stop } = await startGatewayProcess(issuer, `http://127.0.0.1:${upstream.address().port}`);
const mandate = await issuer.mint({ target: ['resource://soak'] });

const SCENARIOS = [
  { name: '1,000 GET with a body of 10 kB', run: () => repeat(1000, () => upload('GET', 10_000, 1, {})) },
  { name: 'chunked upload of 512 MiB, slow upstream', run: () => upload('POST', MIB, 512, { slow: true }) },
  { name: 'download of 1 GiB', run: () => download('/download?mib=1024', 1024 * MIB) },
  { name: 'download of 256 MiB, slow caller', run: () => download('/download?mib=256', 256 * MIB, 5) },
  { name: 'event stream of 20,000 events', run: () => download('/events?count=20000', undefined) },
  { name: '2,000 event streams open at once', run: () => openStreams(2000) },
];

await upload('GET', 1000, 1, {});
let failed = false;
console.log('| scenario | seconds | gateway RSS before | highest | growth |\n|---|---|---|---|---|');
for (const { name, run } of SCENARIOS) {
  const before = await rss();
  const startedAt = performance.now();
  let highest = before;
  let done = false;
  const running = run().finally(() => {
    done = true;
  });
  while (!done) {
    highest = Math.max(highest, await rss());
    await Promise.race([running, new Promise((resolve) => setTimeout(resolve, 100))]);
  }
  await running;
  const growth = highest - before;
  // Open streams cost what they cost: the bound is for bodies.
  const bounded = !name.includes('at once');
  if (bounded && growth > ALLOWED_GROWTH_MIB * MIB) failed = true;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`| ${name} | ${seconds} | ${mib(before)} | ${mib(highest)} | ${mib(growth)} |`);
}
stop();
upstream.closeAllConnections();
upstream.close();
if (failed) {
  console.error(`memory grew by more than ${ALLOWED_GROWTH_MIB} MiB`);
  process.exitCode = 1;
}

function mib(bytes) {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}

async function repeat(count, run) {
  for (let index = 0; index < count; index++) await run();
}

function send(method, path, headers = {}) {
  return request({
    port,
    method,
    path,
    headers: { Authorization: `Bearer ${mandate}`, 'X-Caracal-Resource': 'resource://soak', ...headers },
  });
}

async function upload(method, chunkBytes, count, { slow = false }) {
  const req = send(method, slow ? '/slow-upload' : '/upload', { 'Transfer-Encoding': 'chunked' });
  const answered = once(req, 'response');
  const chunk = Buffer.alloc(chunkBytes, 'x');
  for (let index = 0; index < count; index++) if (!req.write(chunk)) await once(req, 'drain');
  req.end();
  const [res] = await answered;
  let text = '';
  for await (const part of res) text += part;
  if (text !== String(chunkBytes * count)) throw new Error(`the upstream counted ${text} bytes`);
}

async function download(path, expected, pauseMs = 0) {
  const req = send('GET', path).end();
  const [res] = await once(req, 'response');
  let bytes = 0;
  for await (const chunk of res) {
    bytes += chunk.length;
    if (pauseMs > 0 && bytes % (32 * MIB) < chunk.length)
      await new Promise((resolve) => setTimeout(resolve, pauseMs * 10));
  }
  if (expected !== undefined && bytes !== expected) throw new Error(`${bytes} bytes instead of ${expected}`);
}

async function openStreams(count) {
  const streams = [];
  for (let index = 0; index < count; index++) {
    const req = send('GET', '/open').end();
    const [res] = await once(req, 'response');
    await once(res, 'data');
    streams.push(req);
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  for (const req of streams) req.destroy();
}

function answer(req, res) {
  const { pathname, searchParams } = new URL(req.url, 'http://localhost');
  if (pathname === '/download') return void sendMebibytes(res, Number(searchParams.get('mib')));
  if (pathname === '/events') return void sendEvents(res, Number(searchParams.get('count')));
  if (pathname === '/open') {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: open\n\n');
    return;
  }
  let bytes = 0;
  req.on('data', (chunk) => {
    bytes += chunk.length;
    if (pathname !== '/slow-upload') return;
    req.pause();
    setTimeout(() => req.resume(), 1);
  });
  req.on('end', () => res.end(String(bytes)));
}

async function sendMebibytes(res, count) {
  const chunk = Buffer.alloc(MIB, 'y');
  res.writeHead(200, { 'Content-Length': count * MIB });
  for (let index = 0; index < count && !res.destroyed; index++) if (!res.write(chunk)) await once(res, 'drain');
  res.end();
}

async function sendEvents(res, count) {
  res.writeHead(200, { 'Content-Type': 'text/event-stream' });
  for (let index = 0; index < count; index++) {
    if (!res.write(`id: ${index}\ndata: ${'z'.repeat(200)}\n\n`)) await once(res, 'drain');
  }
  res.end();
}
