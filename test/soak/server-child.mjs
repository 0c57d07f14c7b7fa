// The whole server in a process of its own, so that its memory is its own.
import { loadConfiguration, startServer } from '@caracal/server';

const server = await startServer(await loadConfiguration(process.argv[2]), { log: () => {} });
process.on('message', async ({ reload }) => {
  if (reload) return process.send(await server.reload());
  globalThis.gc();
  process.send({ heapUsed: process.memoryUsage().heapUsed, retiring: server.status().retiringConfigurations });
});
process.once('SIGTERM', async () => {
  await server.close();
  process.disconnect();
});
process.send({ listeners: server.listeners });
