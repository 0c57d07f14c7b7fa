const WARM_UP_SECONDS = 1;

/**
 * Rounds of every target in turn, each round beginning with another one, so that a machine that slows down for a while
 * slows no target alone. `load(target, seconds)` answers as the load generator does. Answers a list of figures for each
 * target's name.
 */
export async function measureRounds(targets, { rounds, seconds, load, warmUpSeconds = WARM_UP_SECONDS }) {
  for (const target of targets) {
    progress(`warm-up: ${target.name}`);
    await load(target, warmUpSeconds);
  }
  const figures = new Map(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const target of rotated(targets, round)) {
      const figure = await measure(target, seconds, load);
      figures.get(target.name).push(figure);
      progress(`round ${round + 1}/${rounds}: ${target.name} ${figure.requestsPerSecond.toFixed(0)}/s`);
    }
  }
  return figures;
}

async function measure(target, seconds, load) {
  const before = await target.usage();
  const loaded = await load(target, seconds);
  const { cpuMicros, rssMiB, loopDelayMs, requests } = await target.usage();
  if (loaded.failures > 0 || loaded.requests === 0) {
    throw new Error(`${target.name}: ${loaded.failures} of ${loaded.requests} requests failed`);
  }
  return {
    requestsPerSecond: loaded.requests / loaded.seconds,
    cpuMicros: (cpuMicros - before.cpuMicros) / loaded.requests,
    p50Ms: loaded.p50Ms,
    p99Ms: loaded.p99Ms,
    rssMiB,
    loopDelayMs,
    perCore: (1e6 * loaded.requests) / (cpuMicros - before.cpuMicros),
    ...(requests === undefined ? {} : { apart: apart(requests.map((count, index) => count - before.requests[index])) }),
  };
}

/** How far processes that serve together are apart: the most requests of one against the mean. */
function apart(counts) {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return Math.max(...counts) / mean - 1;
}

function progress(line) {
  process.stderr.write(`  ${line}\n`);
}

function rotated(list, by) {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}
