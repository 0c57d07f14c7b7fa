import { defineConfig } from 'tsup';

// The examples are TypeScript, which Node 20 cannot run. Packages stay outside the bundle: an example imports what a
// user of the built packages would import.
export default defineConfig({
  entry: ['examples/*.ts', 'examples/adapters/*.ts'],
  format: 'esm',
  target: 'es2023',
  clean: true,
  // By default it writes `http` for `node:http`, which Deno and Workers do not resolve.
  removeNodeProtocol: false,
  silent: true,
});
