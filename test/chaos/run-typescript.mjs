// Runs a TypeScript file of the workspace in a process of its own: node run-typescript.mjs FILE ...
import { runnerImport } from 'vite';

const conditions = ['@caracal/source', 'module', 'node', 'development|production'];
await runnerImport(process.argv[2], {
  configFile: false,
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['@caracal/source'] } },
  logLevel: 'error',
});
