const WARM_UP_SECONDS = 1;

/**
 * Rounds of every target in turn, each round beginning with another one, so that a machine that slows down for a while
 * slows no target alone. Answers a list of figures for each target's name.
 */
export async function measureRounds(targets, { rounds, seconds, connections, generator, request }) {
  const loadOn = (target, duration) =>
    generator.load({ url: target.url + request.path, headers: request.headers, connections, seconds: duration });

  for (const target of targets) {
    process.stderr.write(`warm-up: ${target.name}\n`);
    await mustAnswer(target, request);
    await loadOn(target, WARM_UP_SECONDS);
  }
  const figures = new Map(targets.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const target of rotated(targets, round)) {
      const before = await target.cpuMicros();
      const load = await loadOn(target, seconds);
      const cpuMicros = (await target.cpuMicros()) - before;
      if (load.failures > 0 || load.requests === 0) {
        throw new Error(`${target.name}: ${load.failures} of ${load.requests} requests failed`);
      }
      const figure = {
        requestsPerSecond: load.requests / load.seconds,
        cpuMicros: cpuMicros / load.requests,
        p50Ms: load.p50Ms,
        p99Ms: load.p99Ms,
      };
      figures.get(target.name).push(figure);
      process.stderr.write(`round ${round + 1}/${rounds}: ${target.name} ${figure.requestsPerSecond.toFixed(0)}/s\n`);
    }
  }
  return figures;
}

// A load generator counts answers and does not read them: one is read here, so that the bench measures what it says.
async function mustAnswer(target, { path, headers }) {
  const response = await fetch(target.url + path, { headers });
  const body = await response.text();
  if (response.status !== 200 || JSON.parse(body).id !== '42') {
    throw new Error(`${target.name} answered ${response.status} ${body.slice(0, 200)}`);
  }
}

function rotated(list, by) {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}
