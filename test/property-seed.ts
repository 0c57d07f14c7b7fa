import fc from 'fast-check';

/**
 * Properties are tried on the same inputs in every run, so that a run says something about the change and not about
 * chance. `pnpm soak` tries them on others; `PROPERTY_SEED=random` or a number does so for one run.
 */
const seed = process.env.PROPERTY_SEED ?? '1';

if (seed !== 'random') fc.configureGlobal({ seed: Number(seed) });
