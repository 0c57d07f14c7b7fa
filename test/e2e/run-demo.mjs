// Runs the demo from source, with the arguments it would get from `npm start -- ...`.
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const demo = fileURLToPath(new URL('../../docs/examples/demo.ts', import.meta.url));
const conditions = ['@caracal/source', 'module', 'node', 'development|production'];
await runnerImport(demo, {
  configFile: false,
  root: fileURLToPath(new URL('../..', import.meta.url)),
  // The workspace's packages from source too: Node itself would take what was built last.
  environments: { inline: { resolve: { conditions, noExternal: [/^@caracal\//] } } },
  logLevel: 'error',
});
