import { SCENARIOS } from './scenarios.mjs';

/**
 * Runs one scenario after the other. One that fails ends nothing but itself: minutes of figures would go with it.
 * `done` is given each result as it comes.
 */
export async function runAll(scenarios, { run, tell, done }) {
  const results = [];
  const failures = [];
  for (const [index, scenario] of scenarios.entries()) {
    tell(`${index + 1}/${scenarios.length} ${scenario.title}`);
    try {
      const result = await run(scenario);
      results.push(result);
      done(result);
    } catch (cause) {
      failures.push({ name: scenario.name, cause });
      tell(`${scenario.name} failed: ${cause.message}`);
    }
  }
  return { results, failures };
}

/** What is written down: new figures, and for scenarios that were left out or failed the committed ones, which say when they were measured. */
export function merged(result, committed) {
  const of = (from, name) => from?.scenarios.find((scenario) => scenario.name === name);
  return {
    ...committed,
    ...result,
    scenarios: SCENARIOS.map(({ name }) => of(result, name) ?? of(committed, name)).filter(
      (scenario) => scenario !== undefined,
    ),
  };
}
