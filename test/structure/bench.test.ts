import { describe, expect, it } from 'vitest';
import { parseOptions } from '../bench/options.mjs';
import { merged, runAll } from '../bench/run-all.mjs';
import { SCENARIOS } from '../bench/scenarios.mjs';

const named = (name: string, figure: number) => ({ name, figure });

describe('the bench', () => {
  it('goes on behind a scenario that fails, and tells of it', async () => {
    const done: unknown[] = [];
    const told: string[] = [];
    const { results, failures } = await runAll([{ name: 'cached' }, { name: 'fresh' }, { name: 'flood' }], {
      run: async ({ name }: { name: string }) => {
        if (name === 'fresh') throw new Error('the mandates ran out');
        return named(name, 1);
      },
      tell: (line: string) => told.push(line),
      done: (result: unknown) => done.push(result),
    });
    expect(results).toEqual([named('cached', 1), named('flood', 1)]);
    expect(done).toEqual(results);
    expect(failures).toMatchObject([{ name: 'fresh', cause: { message: 'the mandates ran out' } }]);
    expect(told).toContain('fresh failed: the mandates ran out');
  });

  it('keeps the committed figures of what was not measured, in the order of the scenarios', () => {
    const committed = { sizes: 1, scenarios: [named('fresh', 0), named('flood', 0), named('a former one', 0)] };
    const fresh = { scenarios: [named('flood', 2), named('cached', 2)] };
    expect(merged(fresh, committed)).toEqual({
      sizes: 1,
      scenarios: [named('cached', 2), named('fresh', 0), named('flood', 2)],
    });
    expect(merged(fresh, undefined).scenarios).toEqual([named('cached', 2), named('flood', 2)]);
  });

  it('takes the rounds that a scenario wants unless told', () => {
    const [cached, fresh] = SCENARIOS;
    expect([cached, fresh].map(parseOptions([]).roundsOf)).toEqual([7, 3]);
    expect([cached, fresh].map(parseOptions(['--rounds', '2']).roundsOf)).toEqual([2, 2]);
    expect(() => parseOptions(['--only', 'nothing'])).toThrow(/--only: no nothing; there are cached, fresh/);
  });
});
