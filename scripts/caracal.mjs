import { build, install, requireNode, runCaracal } from './workspace.mjs';

requireNode();
if (!(await install()) || !(await build())) process.exit(1);
await runCaracal(process.argv.slice(2));
