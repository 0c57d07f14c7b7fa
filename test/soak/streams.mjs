// Ten thousand event streams at once, and a million messages by WebSocket: `pnpm soak`. Figures go to docs/soak.md.
import { execSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createTestIssuer } from '@caracal/testkit';
import { WebSocket, WebSocketServer } from 'ws';
import { startGatewayProcess } from './gateway-process.mjs';
import { eventually, openStreams, StreamCaller, streamUpstream } from './open-streams.mjs';

/** Two files of the gateway's for each, as many as the system lets a process open. */
const STREAMS = Math.min(10_000, Math.floor((openFiles() - 400) / 200) * 100);
const PART = 1_000;
const SOCKETS = 10;
const MESSAGES = 100_000;
/** So many messages are on their way on one socket. */
const WINDOW = 500;
const MIB = 1024 * 1024;
const ALLOWED_GROWTH_MIB = 64;

const issuer = await createTestIssuer();
const { zoneId } = issuer;
const mint = (claims) => issuer.mint({ target: ['resource://soak'], ...claims });

console.log('| what | figure |\n|---|---|');
await eventStreams();
await webSockets();

function openFiles() {
  const limit = execSync('ulimit -n').toString().trim();
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}

function row(what, figure) {
  console.log(`| ${what} | ${figure} |`);
}

async function eventStreams() {
  const upstream = await streamUpstream();
  const gateway = await startGatewayProcess(issuer, upstream.url);
  const latency = async (count) => {
    const mandate = await mint();
    const times = [];
    for (let index = 0; index < count; index += 1) {
      const startedAt = performance.now();
      const response = await fetch(`http://127.0.0.1:${gateway.port}/plain`, {
        headers: { Authorization: `Bearer ${mandate}`, 'X-Caracal-Resource': 'resource://soak' },
      });
      await response.text();
      times.push(performance.now() - startedAt);
    }
    return times.sort((one, other) => one - other)[Math.floor(count / 2)];
  };
  await latency(2_000);
  const alone = await latency(1_000);
  const before = await gateway.rss();
  const kept = await mint({ sid: 'kept' });
  const revoked = await mint({ sid: 'revoked' });
  const startedAt = performance.now();
  const open = (mandate) => () => StreamCaller.open(gateway.port, mandate);
  const staying = await openStreams(STREAMS - 3 * PART, open(kept));
  const leaving = await openStreams(PART, open(kept));
  const cut = await openStreams(PART, open(revoked));
  const exp = Math.floor(Date.now() / 1_000) + 60;
  const expiring = await openStreams(PART, open(await mint({ exp })));
  const everyone = [...staying, ...leaving, ...cut, ...expiring];
  await eventually('every stream is open upstream', () => upstream.open.size === STREAMS);
  row(`${STREAMS} event streams opened`, `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  await gateway.rss();
  row(
    'memory for each, caller and upstream together',
    `${(((await gateway.rss()) - before) / STREAMS / 1024).toFixed(1)} KiB`,
  );
  for (const round of ['first', 'second', 'third']) {
    upstream.broadcast(round);
    const ms = await eventually(`the ${round} event is everywhere`, () =>
      everyone.every(({ received }) => received.includes(round)),
    );
    row(`the ${round} event at every caller, before another was sent`, `${ms.toFixed(0)} ms`);
  }
  row(
    'median of a small GET without open streams, and beside them',
    `${alone.toFixed(2)} ms, ${(await latency(1_000)).toFixed(2)} ms`,
  );

  for (const caller of leaving) caller.destroy();
  const gone = await eventually('the upstreams are gone', () => upstream.open.size === STREAMS - PART);
  row(`${PART} callers gone: their upstream connections too after`, `${gone.toFixed(0)} ms`);

  const told = performance.now();
  await gateway.revoke({ zoneId, issuer: issuer.issuer, kind: 'sid', id: 'revoked' });
  await eventually('the revoked are cut', () => cut.every(({ closedAt }) => closedAt !== undefined));
  await eventually('their upstreams are gone', () => upstream.open.size === STREAMS - 2 * PART);
  row(
    `${PART} of one session revoked among ${STREAMS - PART}: last one cut after`,
    `${lastOf(cut, told).toFixed(0)} ms`,
  );

  const late = exp * 1_000 - Date.now() + performance.now();
  await eventually('the expired are cut', () => expiring.every(({ closedAt }) => closedAt !== undefined), 90_000);
  if (expiring.some(({ closedAt }) => closedAt < late - 50)) throw new Error('cut before exp');
  row(`${PART} expired: last one cut after exp`, `${lastOf(expiring, late).toFixed(0)} ms`);
  for (const { received } of [...cut, ...expiring]) {
    if (received.endsWith('0\r\n\r\n')) throw new Error('a cut stream ended as if it were whole');
  }

  upstream.broadcast('fourth');
  await eventually('the others go on', () => staying.every(({ received }) => received.includes('fourth')));
  if (staying.some(({ closedAt }) => closedAt !== undefined)) throw new Error('a stream was cut that was not to be');
  for (const caller of staying) caller.destroy();
  gateway.stop();
  upstream.close();
}

function lastOf(callers, since) {
  return Math.max(...callers.map(({ closedAt }) => closedAt)) - since;
}

async function webSockets() {
  const upstream = createServer();
  const echo = new WebSocketServer({ server: upstream, perMessageDeflate: false });
  echo.on('connection', (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })));
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const gateway = await startGatewayProcess(issuer, `http://127.0.0.1:${upstream.address().port}`);
  const before = await gateway.rss();
  const mandate = await mint();
  const startedAt = performance.now();
  let done = false;
  let highest = before;
  const running = Promise.all(Array.from({ length: SOCKETS }, () => exchange(gateway.port, mandate))).finally(() => {
    done = true;
  });
  while (!done) {
    highest = Math.max(highest, await gateway.rss());
    await Promise.race([running, new Promise((resolve) => setTimeout(resolve, 200))]);
  }
  await running;
  const seconds = (performance.now() - startedAt) / 1_000;
  const growth = (highest - before) / MIB;
  row(
    `${SOCKETS} WebSockets, ${(SOCKETS * MESSAGES).toLocaleString('en')} messages there and back`,
    `${seconds.toFixed(1)} s, growth ${growth.toFixed(0)} MiB`,
  );
  gateway.stop();
  echo.close();
  upstream.close();
  upstream.closeAllConnections();
  if (growth > ALLOWED_GROWTH_MIB) throw new Error(`memory grew by ${growth.toFixed(0)} MiB`);
}

/** Sends every message and checks that each comes back in its place. */
async function exchange(port, mandate) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {
    perMessageDeflate: false,
    headers: { Authorization: `Bearer ${mandate}`, 'X-Caracal-Resource': 'resource://soak' },
  });
  await once(socket, 'open');
  let sent = 0;
  let back = 0;
  const send = () => {
    while (sent < MESSAGES && sent - back < WINDOW) socket.send(`message ${sent++} ${'x'.repeat(sent % 200)}`);
  };
  await new Promise((resolve, reject) => {
    socket.on('message', (data) => {
      if (!String(data).startsWith(`message ${back} `)) reject(new Error(`message ${back} came back as ${data}`));
      back += 1;
      if (back === MESSAGES) resolve();
      else send();
    });
    socket.on('close', () => reject(new Error('closed early')));
    send();
  });
  socket.close(1000);
}
