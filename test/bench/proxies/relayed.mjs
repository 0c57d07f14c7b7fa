// The relay in one process or in several that accept from one socket, as workers of `caracal serve` do, with nothing between them:
// what it costs that the same load comes in two smaller parts.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { relayServer } from '../relay-server.mjs';
import { countForOthers, usageOfAll } from '../together.mjs';

if (cluster.isPrimary) await relayAll(JSON.parse(process.argv[2]));
else {
  countForOthers();
  relayServer(process.env.UPSTREAM_URL).listen({ port: 0, host: '127.0.0.1' });
}

async function relayAll({ workers, upstreamUrl }) {
  const { environment, tellPort } = usageOfAll({ workers });
  if (workers === undefined) {
    const server = relayServer(upstreamUrl).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return tellPort(server.address().port);
  }
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  const places = await Promise.all(
    Array.from({ length: workers }, async () => {
      const worker = cluster.fork({ ...environment, UPSTREAM_URL: upstreamUrl });
      const [{ port }] = await once(worker, 'listening');
      return port;
    }),
  );
  tellPort(places[0]);
}
