// Runs a server as `caracal serve` does, for tests of signals and of workers: FILE [WORKERS]
import { isWorkerProcess, loadConfiguration, runServer, runWorker } from '@caracal/server';

const [file, workers] = process.argv.slice(3);
if (isWorkerProcess()) await runWorker();
else await runServer(await loadConfiguration(file!), workers === undefined ? {} : { workers: Number(workers) });
if (process.connected) process.disconnect();
