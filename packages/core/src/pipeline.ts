import { Denial } from './errors.js';

/** A value now or later. Ports may answer synchronously, and then nothing in the pipeline waits. */
export type Awaitable<T> = T | Promise<T>;

/** What a stage answers: the next form of the request, a denial, or either later. */
export type Step<T> = T | Denial | Promise<T | Denial>;

/** One step of the pipeline: a function with typed input and output, and what `explain` says of it. */
export interface Stage<In, Out> {
  /** The rows of the published order of checks it stands for. */
  readonly rows: string;
  readonly name: string;
  /** It uses something up or writes something down: `explain` leaves it out. */
  readonly spends: boolean;
  /** A property, not a method: TypeScript would let a method stand where its input has not been made. */
  readonly run: (input: In) => Step<Out>;
}

/** Stages in order. Its types let a stage stand only where its input has been made. */
export interface Pipeline<In, Out> {
  readonly stages: readonly Stage<never, unknown>[];
  /** The same pipeline with one more stage at its end. */
  stage<Next>(stage: Stage<Out, Next>): Pipeline<In, Next>;
  /** Runs the stages until one denies; synchronously as long as none waits. */
  run(input: In): Step<Out>;
}

/** An empty pipeline: `pipeline<Received>().stage(...).stage(...)`. */
export function pipeline<In>(): Pipeline<In, In> {
  return extend<In, In>([]);
}

function extend<In, Out>(stages: readonly Stage<never, unknown>[]): Pipeline<In, Out> {
  return {
    stages,
    stage: <Next>(stage: Stage<Out, Next>) => extend<In, Next>([...stages, stage as Stage<never, unknown>]),
    run: (input) => runFrom(stages as readonly Stage<unknown, unknown>[], 0, input) as Step<Out>,
  };
}

function runFrom(stages: readonly Stage<unknown, unknown>[], start: number, input: unknown): Step<unknown> {
  let value = input;
  for (let index = start; index < stages.length; index++) {
    const step = stages[index]!.run(value);
    if (step instanceof Denial) return step;
    if (isPromise(step)) {
      return step.then((settled) => (settled instanceof Denial ? settled : runFrom(stages, index + 1, settled)));
    }
    value = step;
  }
  return value;
}

/** Whether the value has to be waited for. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/**
 * Runs `next` on the value: at once where it is here, later where it is a promise, never on a denial. (A module that exports
 * a `then` would be taken for a promise by `import()`, hence the name.)
 */
export function chain<T, R>(value: Step<T>, next: (value: T) => Step<R>): Step<R> {
  if (value instanceof Denial) return value;
  if (isPromise(value)) return value.then((settled) => (settled instanceof Denial ? settled : next(settled)));
  return next(value);
}
