import { defineConfig } from 'tsup';

// One build for every package: ESM with types, dependencies left outside the bundle.
export default defineConfig({
  entry: ['src/index.ts'],
  format: 'esm',
  target: 'es2023',
  clean: true,
  // By default it writes `http` for `node:http`, which Deno and Workers do not resolve.
  removeNodeProtocol: false,
  splitting: false,
  sourcemap: false,
  silent: true,
  // tsup's declaration build still passes `baseUrl`, which TypeScript 6 calls deprecated.
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
});
