import { parseArgs } from 'node:util';
import { SCENARIOS } from './scenarios.mjs';

const DEFAULT_ROUNDS = 3;
/** What is measured beside the scenarios: import, start and size. */
const START = 'start';

/** `--rounds N --seconds N --only scenario,scenario,start --json --write --check`. */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string', default: '2' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
    },
  });
  const { only, json, write, check } = values;
  const rounds = values.rounds && count('rounds', values.rounds);
  const names = only?.split(',');
  return {
    roundsOf: (scenario) => rounds ?? scenario.rounds ?? DEFAULT_ROUNDS,
    start: names === undefined || names.includes(START),
    seconds: count('seconds', values.seconds),
    scenarios: names === undefined ? SCENARIOS : names.filter((name) => name !== START).map(scenarioNamed),
    json,
    write,
    check,
  };
}

function scenarioNamed(name) {
  const scenario = SCENARIOS.find((known) => known.name === name);
  if (scenario !== undefined) return scenario;
  throw new TypeError(`--only: no ${name}; there are ${[...SCENARIOS.map((known) => known.name), START].join(', ')}`);
}

function count(name, text) {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) throw new TypeError(`--${name} takes a whole number above 0`);
  return Number(text);
}
