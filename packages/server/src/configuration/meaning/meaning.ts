import type { ProblemPath } from '../problem.js';
import type { LocatedProblem } from '../structure.js';
import { connectProblems } from './connecting.js';
import { issuerProblems } from './issuers.js';
import { listenerProblems } from './listeners.js';
import { nameProblems } from './names.js';
import { resourceProblems } from './resources.js';

/** What is wrong with a configuration beyond its structure. Takes any input, and tells of each part that can be judged. */
export function meaningProblems(input: unknown, structural: readonly LocatedProblem[]): LocatedProblem[] {
  const faulty = (steps: ProblemPath): boolean =>
    structural.some((problem) => steps.every((step, index) => problem.steps[index] === step));
  return [
    ...nameProblems(input),
    ...listenerProblems(input),
    ...issuerProblems(input, faulty),
    ...connectProblems(input, faulty),
    ...resourceProblems(input, faulty),
  ].filter((problem) => !structural.some(({ path }) => path === problem.path));
}
