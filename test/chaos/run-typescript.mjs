// Runs a TypeScript file of the workspace in a process of its own: node run-typescript.mjs FILE ...
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const conditions = ['@caracal/source', 'module', 'node', 'development|production'];
await runnerImport(process.argv[2], {
  configFile: false,
  root: fileURLToPath(new URL('../..', import.meta.url)),
  // The workspace's packages from source too: Node itself would take what was built last.
  environments: { inline: { resolve: { conditions, noExternal: [/^@caracal\//] } } },
  logLevel: 'error',
});
