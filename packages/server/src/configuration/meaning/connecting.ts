import { memoryReplayStore, type SecretStore } from '@caracal/core';
import { connectLinks, createConnectService, type SignInOptions } from '@caracal/oauth';
import { checkingEnvironment } from '../../providers/oauth-environment.js';
import type { ProblemPath } from '../problem.js';
import { type LocatedProblem, problemAt } from '../structure.js';
import { listMember, objectMember, textMember } from './loose.js';

const NO_SECRETS: SecretStore = Object.freeze({
  open: () => {
    throw new TypeError('no secret is opened while a configuration is checked');
  },
});

/** What is wrong with where people connect accounts, and sign in for it. */
export function connectProblems(input: unknown, faulty: (steps: ProblemPath) => boolean): LocatedProblem[] {
  return [...hostProblems(input), ...publicUrlProblems(input, faulty), ...signInProblems(input, faulty)];
}

/** The connect pages are on the listener of the token service. */
function hostProblems(input: unknown): LocatedProblem[] {
  if (objectMember(input, 'tokenService') !== undefined) return [];
  return listMember(input, 'providers')
    .filter(({ value }) => value.kind === 'oauth2_authorization_code')
    .map(({ steps }) =>
      problemAt([...steps, 'kind'], 'needs tokenService, whose listener hosts the connect pages; add it'),
    );
}

function publicUrlProblems(input: unknown, faulty: (steps: ProblemPath) => boolean): LocatedProblem[] {
  const publicUrl = textMember(objectMember(input, 'connect'), 'publicUrl');
  const steps = ['connect', 'publicUrl'];
  if (publicUrl === undefined || faulty(steps)) return [];
  const { sealing } = checkingEnvironment();
  return faultOf(() => connectLinks({ publicUrl, sealing })).map((fault) =>
    problemAt(steps, `${fault.replace(/^publicUrl /, '')}; give the address of the token service’s listener`),
  );
}

function signInProblems(input: unknown, faulty: (steps: ProblemPath) => boolean): LocatedProblem[] {
  const { outbound, sealing, links } = checkingEnvironment();
  const replays = memoryReplayStore();
  const issuers = new Set<unknown>();
  return listMember(objectMember(input, 'connect'), 'signIn', ['connect']).flatMap(({ value, steps }) => {
    if (faulty(steps)) return [];
    if (issuers.has(value.issuer)) {
      return [problemAt([...steps, 'issuer'], 'has an entry already; give each issuer one place to sign in')];
    }
    issuers.add(value.issuer);
    const signIn = [value as unknown as SignInOptions];
    const make = () =>
      createConnectService({ links: links!, providers: [], signIn, replays, outbound, sealing, secrets: NO_SECRETS });
    return faultOf(make).map((fault) => problemAt(steps, `is not in order: ${fault.replace(/^signIn: /, '')}`));
  });
}

/** What a factory says, without its own name. */
function faultOf(make: () => unknown): string[] {
  try {
    make();
    return [];
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    return [cause.message.replace(/^\w+: /, '')];
  }
}
