import { describe, expect, it } from 'vitest';
import { Denial, deny } from './errors.js';
import { chain, pipeline, type Stage } from './pipeline.js';

function stage<In, Out>(name: string, run: Stage<In, Out>['run']): Stage<In, Out> {
  return { rows: '0', name, spends: false, run };
}

describe('pipeline', () => {
  it('answers synchronously as long as no stage waits', () => {
    const line = pipeline<number>()
      .stage(stage('add', (value: number) => value + 1))
      .stage(stage('text', (value: number) => `${value}`));
    expect(line.run(1)).toBe('2');
  });

  it('runs nothing after a stage that denies', () => {
    const ran: string[] = [];
    const line = pipeline<number>()
      .stage(stage<number, number>('deny', () => deny('access_denied', 'no')))
      .stage(
        stage('later', (value: number) => {
          ran.push('later');
          return value;
        }),
      );
    expect(line.run(1)).toBeInstanceOf(Denial);
    expect(ran).toEqual([]);
  });

  it('goes on where it was once a stage that waits has its answer', async () => {
    const line = pipeline<number>()
      .stage(stage('wait', async (value: number) => value * 2))
      .stage(stage('add', (value: number) => value + 1))
      .stage(stage('wait again', async (value: number) => value * 10));
    await expect(line.run(2)).resolves.toBe(50);
  });

  it('stops at a denial that came late', async () => {
    const line = pipeline<number>()
      .stage(stage<number, number>('late', async () => deny('access_denied', 'late')))
      .stage(stage<number, number>('never', () => expect.fail('ran after a denial')));
    await expect(line.run(1)).resolves.toBeInstanceOf(Denial);
  });
});

describe('the types of a pipeline', () => {
  it('let no stage stand before its input has been made', () => {
    const first = stage<{ readonly a: number }, { readonly a: number; readonly b: number }>('b', (value) => ({
      ...value,
      b: 1,
    }));
    const second = stage<{ readonly a: number; readonly b: number }, string>('text', ({ a, b }) => `${a}${b}`);
    expect(pipeline<{ readonly a: number }>().stage(first).stage(second).run({ a: 2 })).toBe('21');
    // @ts-expect-error `b` has not been made yet
    pipeline<{ readonly a: number }>().stage(second);
  });
});

describe('chain', () => {
  it('passes a denial by without a call', () => {
    const denial = deny('access_denied', 'no');
    expect(chain<number, number>(denial, () => expect.fail('called'))).toBe(denial);
  });
});
