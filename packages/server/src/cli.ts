#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { COMMANDS } from './command/commands.js';
import { runCommand } from './frame/run-command.js';

const { stdin, stdout, stderr, env } = process;
const exitCode = await runCommand(COMMANDS, {
  args: process.argv.slice(2),
  ...{ stdin, stdout, stderr, env },
  cwd: process.cwd(),
  version: JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version,
  on: (signal, listener) => process.on(signal, listener),
  off: (signal, listener) => process.off(signal, listener),
});
// Whatever a command left open has no say in when it ends; what it wrote has to be out first.
for (const stream of [stdout, stderr]) {
  if (stream.writableLength > 0 && !stream.destroyed) await new Promise((resolve) => stream.write('', resolve));
}
process.exit(exitCode);
