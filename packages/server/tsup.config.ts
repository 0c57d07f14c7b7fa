import { defineConfig } from 'tsup';
import shared from '../../tsup.config.js';

// Split, so that a command loads what it needs and no more.
export default defineConfig({ ...shared, entry: ['src/index.ts', 'src/cli.ts'], splitting: true });
