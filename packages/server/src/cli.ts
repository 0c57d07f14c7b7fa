#!/usr/bin/env node
console.error('caracal: the command is not built in yet');
process.exitCode = 2;
