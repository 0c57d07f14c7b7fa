import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** CPU time of a process since its start. Fields 14 and 15 of proc(5) stat, counted behind the name, which may hold spaces. */
export function cpuMicros(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond();
}

/** Field 2 of proc(5) statm, in pages. */
export function rssMiB(pid) {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]);
  return (pages * Number(getconf('PAGESIZE'))) / 2 ** 20;
}

function ticksPerSecond() {
  return Number(getconf('CLK_TCK'));
}

function getconf(name) {
  return execFileSync('getconf', [name], { encoding: 'latin1' });
}
