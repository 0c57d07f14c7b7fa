import { join } from 'node:path';
import { build, install, requireNode, root, run } from './workspace.mjs';

requireNode();
if (!(await install()) || !(await build())) process.exit(1);
const demo = join(root, 'docs', 'dist', 'demo.js');
process.exitCode = (await run(process.execPath, [demo, ...process.argv.slice(2)])) ? 0 : 1;
