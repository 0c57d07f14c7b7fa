import { once } from 'node:events';

/** The side of a child: starts a server as the parent's one argument says, tells its port, answers for its CPU time. */
export async function serve(startServer) {
  const server = await startServer(JSON.parse(process.argv[2]));
  if (!server.listening) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  process.on('message', (message) => {
    if (message !== 'cpu') return;
    const { user, system } = process.cpuUsage();
    process.send({ cpuMicros: user + system });
  });
  process.on('disconnect', () => process.exit());
  process.send({ port: server.address().port });
}
