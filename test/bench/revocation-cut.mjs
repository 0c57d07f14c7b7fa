// How fast a revocation cuts what is open: one session with 1,000 event streams and 1,000 WebSockets; gateway and upstream are
// processes of their own, callers are in this one. `node test/bench/revocation-cut.mjs [--rounds N]`; figures go to docs/benchmarks.md.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createTestIssuer } from '@caracal/testkit';
import { startGatewayProcess } from '../soak/gateway-process.mjs';
import { eventually, openStreams, StreamCaller } from '../soak/open-streams.mjs';

const OF_EACH = 1_000;
const CLOSE_1008 = '\x03\xf0';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const issuer = await createTestIssuer();
const upstream = await startUpstreamProcess();
const gateway = await startGatewayProcess(issuer, upstream.url);
// The first rounds are for the compiler, and the second for memory: what is freed afterwards stays with the process.
await round('warm', OF_EACH / 5);
const { eventStreamKb, webSocketKb } = await round('memory');
const rounds = [];
for (let index = 0; index < Number(values.rounds); index += 1) rounds.push(await round(`session-${index}`));
gateway.stop();
upstream.stop();

console.log(
  `${availableParallelism()} x ${cpus()[0].model}, Node ${process.versions.node}; medians of ${rounds.length} rounds`,
);
console.log('| what | median | worst |\n|---|---|---|');
line('revoke() resolved in the gateway, ms', ({ revokedMs }) => revokedMs);
line('of that CPU, ms', ({ revokedCpuMs }) => revokedCpuMs);
line('last byte at the last caller, ms', ({ lastByteMs }) => lastByteMs);
line('last connection of a caller closed, ms', ({ closedMs }) => closedMs);
console.log(`| memory for each open event stream, kB | ${eventStreamKb.toFixed(1)} | |`);
console.log(`| memory for each open WebSocket, kB | ${webSocketKb.toFixed(1)} | |`);

function line(what, of) {
  const figures = rounds.map(of).sort((one, other) => one - other);
  console.log(`| ${what} | ${figures[Math.floor(figures.length / 2)].toFixed(1)} | ${figures.at(-1).toFixed(1)} |`);
}

async function startUpstreamProcess() {
  const child = fork(fileURLToPath(new URL('./upstreams/streams.mjs', import.meta.url)));
  const [{ url }] = await once(child, 'message');
  const ask = async (message) => {
    child.send(message);
    const [answer] = await once(child, 'message');
    return answer;
  };
  return { url, ask, stop: () => child.kill() };
}

function ended({ closedAt }) {
  return closedAt;
}

async function round(sid, ofEach = OF_EACH) {
  const mandate = await issuer.mint({ target: ['resource://soak'], sid });
  const empty = await gateway.rss();
  const eventStreams = await openStreams(ofEach, () => StreamCaller.open(gateway.port, mandate));
  const withStreams = await gateway.rss();
  const webSockets = await openStreams(ofEach, () => StreamCaller.open(gateway.port, mandate, { webSocket: true }));
  const withBoth = await gateway.rss();
  const callers = [...eventStreams, ...webSockets];
  await upstream.ask({ broadcast: 'before' });
  await eventually('every caller got its event', () => callers.every(({ received }) => received.includes('before')));
  const startedAt = performance.now();
  const revoked = await gateway.revoke({ zoneId: issuer.zoneId, issuer: issuer.issuer, kind: 'sid', id: sid });
  await eventually('every caller is cut', () => callers.every(({ closedAt }) => closedAt !== undefined));
  while ((await upstream.ask({})).open > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  if (!webSockets.every(({ received }) => received.includes(CLOSE_1008))) throw new Error('a WebSocket without a 1008');
  return {
    ...revoked,
    // An event stream is cut without another byte: its end is what its caller sees. A WebSocket gets its close frame.
    lastByteMs: Math.max(...eventStreams.map(ended), ...webSockets.map(({ lastByteAt }) => lastByteAt)) - startedAt,
    closedMs: Math.max(...callers.map(ended)) - startedAt,
    eventStreamKb: (withStreams - empty) / ofEach / 1_000,
    webSocketKb: (withBoth - withStreams) / ofEach / 1_000,
  };
}
