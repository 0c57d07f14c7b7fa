import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, install, requireNode, root } from './workspace.mjs';

requireNode();
if (!(await install()) || !(await build())) process.exit(1);
// In this process, so that signals reach it and its exit status is ours. It reads this command's arguments.
await import(pathToFileURL(join(root, 'docs', 'dist', 'demo.js')).href);
