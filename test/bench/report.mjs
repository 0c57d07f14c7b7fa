import { cpus, totalmem, type } from 'node:os';
import { BASELINE, CONTROL } from './targets.mjs';

/** One line about where this was measured. */
export function machine() {
  const processors = cpus();
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return `${processors.length} x ${processors[0].model.trim()}, ${memory} GiB, ${type()}, Node ${process.versions.node}`;
}

/**
 * Medians of each target. Ratios are medians of the ratios of single rounds, which compares neighbours in time.
 * `control`: the baseline against itself, as a median and as the largest distance from 1 in any round.
 */
export function summarize(targets, rounds) {
  const baseline = rounds.get(BASELINE);
  const ratios = (name, figure) => rounds.get(name).map((round, index) => round[figure] / baseline[index][figure]);
  const control = ratios(CONTROL, 'cpuMicros');
  return {
    targets: targets.map(({ name }) => ({
      name,
      requestsPerSecond: medianOf(rounds.get(name), 'requestsPerSecond'),
      cpuMicros: medianOf(rounds.get(name), 'cpuMicros'),
      p50Ms: medianOf(rounds.get(name), 'p50Ms'),
      p99Ms: medianOf(rounds.get(name), 'p99Ms'),
      requestsRatio: median(ratios(name, 'requestsPerSecond')),
      cpuRatio: median(ratios(name, 'cpuMicros')),
      rounds: rounds.get(name),
    })),
    control: { cpuRatio: median(control), cpuSpread: Math.max(...control.map((ratio) => Math.abs(ratio - 1))) },
  };
}

/** The result as Markdown. */
export function table({ machine, generator, connections, rounds, seconds, targets, control }) {
  const header = ['', 'requests/s', 'CPU µs/request', 'p50 ms', 'p99 ms', 'requests/s to relay', 'CPU to relay'];
  const rows = targets.map((target) => [
    target.name,
    target.requestsPerSecond.toFixed(0),
    target.cpuMicros.toFixed(1),
    target.p50Ms.toFixed(2),
    target.p99Ms.toFixed(2),
    target.requestsRatio.toFixed(2),
    target.cpuRatio.toFixed(2),
  ]);
  const rule = header.map((_, column) => (column === 0 ? '---' : '---:'));
  const lines = [header, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  const percent = (ratio) => `${(ratio * 100).toFixed(1)} %`;
  return [
    machine,
    `${generator}, ${connections} connections, medians of ${rounds} interleaved rounds of ${seconds} s`,
    '',
    ...lines,
    '',
    `Control: two equal relays differ by ${percent(Math.abs(control.cpuRatio - 1))} of CPU in the median, by at most ${percent(control.cpuSpread)} in a round.`,
  ].join('\n');
}

function medianOf(rounds, figure) {
  return median(rounds.map((round) => round[figure]));
}

/** The middle of the values. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
