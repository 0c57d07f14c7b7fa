import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/**
 * The side of a child: starts a server as the parent's one argument says, tells its port, and answers for what it has
 * used since the last question.
 */
export async function serve(startServer) {
  const server = await startServer(JSON.parse(process.argv[2]));
  if (!server.listening) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  process.on('message', (message) => {
    if (message !== 'usage') return;
    const { user, system } = process.cpuUsage();
    const rssMiB = process.memoryUsage.rss() / 2 ** 20;
    process.send({ cpuMicros: user + system, rssMiB, loopDelayMs: delay.percentile(99) / 1e6 });
    delay.reset();
  });
  process.on('disconnect', () => process.exit());
  process.send({ port: server.address().port });
}
