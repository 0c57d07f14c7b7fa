import type { ProblemPath } from '../problem.js';
import { type LocatedProblem, problemAt } from '../structure.js';
import { issuerProblems } from './issuers.js';
import { listenerProblems } from './listeners.js';
import { member, objectMember } from './loose.js';
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
    ...resourceProblems(input, faulty),
    ...missingStores(input),
  ].filter((problem) => !structural.some(({ path }) => path === problem.path));
}

// Left out in silence, two processes would each believe to share state.
function missingStores(input: unknown): LocatedProblem[] {
  const stores = objectMember(input, 'stores');
  return ['postgres'].flatMap((name) =>
    member(stores, name) === undefined
      ? []
      : [
          problemAt(
            ['stores', name],
            'is not part of this version; remove it, and run one process with a state directory',
          ),
        ],
  );
}
