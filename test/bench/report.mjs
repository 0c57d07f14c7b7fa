import { cpus, totalmem, type } from 'node:os';
import { BASELINE, CONTROL } from './targets.mjs';

const FIGURES = ['requestsPerSecond', 'cpuMicros', 'p50Ms', 'p99Ms', 'rssMiB', 'loopDelayMs'];
/** Figures that claims are about and the table does not show; `perCore` is what one core of CPU time would serve in a second. */
const ABSOLUTE = { perCore: 'requests/s on one core of its process', apart: 'the busier worker above the mean' };
/** What the error of a figure is judged by. */
const ERROR_OF = { perCore: 'cpuMicros', apart: 'requestsPerSecond' };

/** One line about where this was measured. */
export function machine() {
  const processors = cpus();
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return `${processors.length} x ${processors[0].model.trim()}, ${memory} GiB, ${type()}, Node ${process.versions.node}`;
}

/**
 * Medians of each target. Ratios are medians of the ratios of single rounds, which compares neighbours in time. `spread` is how far
 * the control is from its equal, as the third quartile of the rounds, for each figure.
 */
export function summarize(scenario, figures) {
  const { name, title, text, claims = [], baseline = BASELINE, control = CONTROL } = scenario;
  const ratios = (target, figure, of = baseline) =>
    figures.get(target).map((round, index) => round[figure] / figures.get(of)[index][figure]);
  const spread = Object.fromEntries(
    FIGURES.map((figure) => [
      figure,
      quantile(
        ratios(control, figure).map((ratio) => Math.abs(ratio - 1)),
        0.75,
      ),
    ]),
  );
  const targets = [...figures].map(([target, rounds]) => ({
    name: target,
    ...Object.fromEntries(FIGURES.map((figure) => [figure, median(rounds.map((round) => round[figure]))])),
    requestsRatio: median(ratios(target, 'requestsPerSecond')),
    cpuRatio: median(ratios(target, 'cpuMicros')),
  }));
  const judged = claims.filter((claim) => figures.has(claim.target) && figures.has(claim.of ?? baseline));
  return {
    name,
    title,
    text,
    control: { cpuRatio: median(ratios(control, 'cpuMicros')), spread },
    targets,
    claims: judged.map((claim) => judge(claim, { figures, ratios, spread, baseline })),
  };
}

/** Beyond this spread of the control nothing can be told. */
const MOST_SPREAD = 0.25;

const WORDS = { cpuMicros: 'CPU per request', requestsPerSecond: 'requests/s', p50Ms: 'p50', p99Ms: 'p99' };

function judge({ target, figure, of, most, least, added, beyond }, { figures, ratios, spread, baseline }) {
  const than = of ?? baseline;
  if (figure in ABSOLUTE) return absolute({ target, figure, most, least }, { figures, spread });
  const error = spread[figure];
  const slack = 2 * error;
  if (added !== undefined) {
    const base = figures.get(than).map((round) => round[figure]);
    const value = median(figures.get(target).map((round, index) => round[figure] - base[index]));
    const text = `${target}: ${WORDS[figure]} ${value.toFixed(2)} ms above ${than} (at most ${added})`;
    return { text, value, verdict: verdict(error, value <= added, value <= added + slack * median(base)) };
  }
  const floor = beyond === undefined ? undefined : ratios(beyond.target, figure, beyond.of);
  const value = median(ratios(target, figure, than).map((ratio, round) => ratio / (floor?.[round] ?? 1)));
  const paid = beyond === undefined ? '' : `, beside what ${beyond.target} takes of ${beyond.of}`;
  const limit = most === undefined ? `at least ${least}` : `at most ${most}`;
  const holds = most === undefined ? value >= least : value <= most;
  const nearly = most === undefined ? value >= least * (1 - slack) : value <= most * (1 + slack);
  return {
    text: `${target}: ${WORDS[figure]} ${value.toFixed(2)} of ${than}${paid} (${limit})`,
    value,
    verdict: verdict(error, holds, nearly),
  };
}

/** `nearly`: it would hold if the figure were off by twice the error of the measurement. */
function verdict(error, holds, nearly) {
  if (error > MOST_SPREAD) return 'undecided';
  return holds ? 'holds' : nearly ? 'undecided' : 'does not hold';
}

/** A limit on a figure itself, not on a ratio. */
function absolute({ target, figure, most, least }, { figures, spread }) {
  const value = median(figures.get(target).map((round) => round[figure]));
  const error = spread[ERROR_OF[figure]];
  const holds = most === undefined ? value >= least : value <= most;
  const nearly = most === undefined ? value >= least * (1 - 2 * error) : value <= most + 2 * error;
  const shown = figure === 'apart' ? `${(value * 100).toFixed(1)} %` : value.toFixed(0);
  const limit = most === undefined ? `at least ${least.toLocaleString('en')}` : `at most ${(most * 100).toFixed(0)} %`;
  return {
    text: `${target}: ${ABSOLUTE[figure]} ${shown} (${limit})`,
    value,
    verdict: verdict(error, holds, nearly),
  };
}

/** A scenario's result as Markdown. */
export function table({ title, text, control, targets, claims, measured }) {
  const header = [
    '',
    'requests/s',
    'CPU µs/request',
    'p50 ms',
    'p99 ms',
    'RSS MiB',
    'loop p99 ms',
    'requests/s to first',
    'CPU to first',
  ];
  const rows = targets.map((target) => [
    target.name,
    rounded(target.requestsPerSecond),
    rounded(target.cpuMicros),
    target.p50Ms.toFixed(2),
    target.p99Ms.toFixed(2),
    target.rssMiB.toFixed(0),
    target.loopDelayMs?.toFixed(1) ?? '',
    target.requestsRatio.toFixed(2),
    target.cpuRatio.toFixed(2),
  ]);
  const percent = (ratio) => `${(ratio * 100).toFixed(1)} %`;
  const spread = `Control: CPU ${control.cpuRatio.toFixed(2)}; spread of CPU ${percent(control.spread.cpuMicros)}, of requests/s ${percent(control.spread.requestsPerSecond)}.`;
  return [
    `## ${title}`,
    '',
    ...(text === undefined ? [] : [text, '']),
    `${measured}.`,
    '',
    ...aligned(header, rows),
    '',
    spread,
    ...(claims.length === 0 ? [] : ['', ...claims.map(({ text, verdict }) => `- ${verdict}: ${text}`)]),
  ].join('\n');
}

function aligned(header, rows) {
  const rule = header.map((_, column) => (column === 0 ? '---' : '---:'));
  return [header, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

function rounded(value) {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

/** The middle of the values; `undefined` where one is missing. */
export function median(values) {
  return values.includes(undefined) ? undefined : quantile(values, 0.5);
}

function quantile(values, at) {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * at;
  const below = Math.floor(place);
  const above = Math.ceil(place);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}
