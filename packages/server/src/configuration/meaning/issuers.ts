import { createVerifier, type IssuerOptions, systemClock } from '@caracal/core';
import type { ProblemPath } from '../problem.js';
import { type LocatedProblem, problemAt } from '../structure.js';
import { listMember, objectMember, textMember } from './loose.js';

/** What core says of the issuers, and whether there is one at all. */
export function issuerProblems(input: unknown, faulty: (steps: ProblemPath) => boolean): LocatedProblem[] {
  const tokenService = objectMember(input, 'tokenService');
  const issuers = listMember(input, 'issuers');
  const problems: LocatedProblem[] = [];
  if (tokenService === undefined && issuers.length === 0) {
    problems.push(problemAt([], 'names nobody who may sign mandates; add tokenService or an entry of issuers'));
  }
  const own = textMember(tokenService, 'issuer');
  for (const { value, steps } of issuers) {
    if (own !== undefined && value.issuer === own) {
      problems.push(
        problemAt([...steps, 'issuer'], 'is the token service of this file, which is trusted anyhow; remove the entry'),
      );
    }
    if (faulty(steps)) continue;
    try {
      createVerifier({ issuers: [value as unknown as IssuerOptions], outbound: NO_OUTBOUND, clock: systemClock });
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      const [, name, text] = /^issuers\[0\](?:\.([\w.]+))?: ([\s\S]*)$/.exec(cause.message) ?? [];
      const below = name === undefined ? [] : name.split('.');
      problems.push(problemAt([...steps, ...below], `is not in order; ${text ?? cause.message}`));
    }
  }
  return problems;
}

const NO_OUTBOUND = { fetch: () => Promise.reject(new Error('nothing is fetched while a configuration is checked')) };
