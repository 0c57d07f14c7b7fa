import type { Secret } from '@caracal/core';
import type { ConfigurationProblem } from '../configuration/problem.js';
import { type PlainReference, readReference, SecretUnavailableError } from './read-reference.js';

/** The secret of a member, now; where it cannot be had, `undefined`, and a problem at the member's path. */
export async function tryRead(
  reference: PlainReference,
  path: string,
  environment: NodeJS.ProcessEnv,
  problems: ConfigurationProblem[],
): Promise<Secret | undefined> {
  try {
    return await readReference(reference, environment);
  } catch (cause) {
    if (!(cause instanceof SecretUnavailableError)) throw cause;
    problems.push({ path, fault: cause.fault, remedy: cause.remedy });
    return undefined;
  }
}
