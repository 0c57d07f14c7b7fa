import { parseArgs } from 'node:util';

/** `--rounds N --seconds N --connections N --only a,b --json`; the relay is always among those measured. */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '32' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  return {
    rounds: count('rounds', values.rounds),
    seconds: count('seconds', values.seconds),
    connections: count('connections', values.connections),
    only: values.only?.split(','),
    json: values.json,
  };
}

function count(name, text) {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) throw new TypeError(`--${name} takes a whole number above 0`);
  return Number(text);
}
