// Runs a server as `caracal serve` does, for tests of signals.
import { loadConfiguration, runServer } from '@caracal/server';

await runServer(await loadConfiguration(process.argv.at(-1)!));
if (process.connected) process.disconnect();
