import assert from 'node:assert/strict';
import type { AuthorizationDecision, AuthorizationRequest, Authorizer, Mandate } from '@caracal/core';
import { HOSTILE_IDENTIFIERS } from './hostile-texts.js';
import { type PortCase, portCase } from './port-case.js';

/** One question that an authorizer allows, and one that it denies. */
export interface JudgedQuestions {
  readonly allowed: AuthorizationRequest;
  readonly denied: AuthorizationRequest;
}

/** An authorizer whose policies are known well enough to ask it both ways. */
export interface JudgingAuthorizer extends Authorizer {
  /** Made for this subject alone. */
  readonly questions: JudgedQuestions;
}

// Made anew for each question: a set cannot be frozen, and what one case changes in it would hide the change from the next.
const principalOf = (changes: Partial<Mandate> = {}): Mandate => ({
  issuer: 'https://issuer.example',
  zoneId: 'default',
  subject: 'alice',
  subjectType: 'user',
  applicationId: 'agent',
  audience: Object.freeze(['https://issuer.example']),
  jti: 'mandate-1',
  issuedAt: 1_893_456_000,
  expiresAt: 1_893_456_300,
  use: 'gateway',
  scopes: new Set(['invoices:read']),
  targets: Object.freeze(['resource://api']),
  sessionId: 'session-1',
  rootSessionId: 'session-1',
  agentSessionId: undefined,
  delegation: undefined,
  anchors: Object.freeze([]),
  ...changes,
});

/** The question of a valid request: alice's agent reads `/v1/invoices/1` of `resource://api`. What differs is given. */
export function authorizationRequest(
  changes: Partial<Omit<AuthorizationRequest, 'principal'>> & { readonly principal?: Partial<Mandate> } = {},
): AuthorizationRequest {
  const { principal, ...others } = changes;
  return {
    requestId: 'request-1',
    resource: { zoneId: 'default', identifier: 'resource://api' },
    operation: { method: 'GET', template: '/v1/invoices/{id}', name: 'read-invoice', path: '/v1/invoices/1' },
    peer: { address: '192.0.2.1' },
    ...others,
    principal: principalOf(principal),
  };
}

/** A gateway takes nothing else for an answer, and neither does JSON. */
function assertPlain(decision: AuthorizationDecision): void {
  const { allowed, reason, policies } = decision;
  assert.equal(typeof allowed, 'boolean');
  assert(reason === undefined || typeof reason === 'string');
  assert(policies === undefined || (Array.isArray(policies) && policies.every((policy) => typeof policy === 'string')));
}

/** What every {@link Authorizer} has to do. */
export const authorizerCases: readonly PortCase<JudgingAuthorizer>[] = [
  portCase('answers a plain decision both ways', async ({ store }) => {
    const { allowed, denied } = store.questions;
    const decisions = [await store.authorize(allowed), await store.authorize(denied)];
    for (const decision of decisions) assertPlain(decision);
    assert.deepEqual(
      decisions.map((decision) => decision.allowed),
      [true, false],
    );
  }),

  portCase('answers the same question alike again, whatever was asked between', async ({ store }) => {
    const { allowed, denied } = store.questions;
    for (const question of [allowed, denied, denied, allowed, allowed]) {
      assert.equal((await store.authorize(question)).allowed, question === allowed);
    }
  }),

  portCase('answers each of many concurrent questions for itself', async ({ store }) => {
    const { allowed, denied } = store.questions;
    const asked = Array.from({ length: 50 }, (_, index) => (index % 3 === 0 ? allowed : denied));
    const decisions = await Promise.all(
      asked.map(async (question, index) => store.authorize({ ...question, requestId: `request-${index}` })),
    );
    for (const [index, { allowed: verdict }] of decisions.entries()) assert.equal(verdict, asked[index] === allowed);
  }),

  portCase('changes nothing of the question, the principal least of all', async ({ store }) => {
    for (const question of [store.questions.allowed, store.questions.denied]) {
      const before = structuredClone(question);
      await store.authorize(question);
      assert.deepEqual(structuredClone(question), before);
    }
  }),

  portCase('answers hostile texts as it answers others, or throws', async ({ store }) => {
    for (const text of HOSTILE_IDENTIFIERS) {
      const { denied } = store.questions;
      const question: AuthorizationRequest = {
        ...denied,
        principal: { ...denied.principal, subject: text },
        operation: { ...denied.operation, path: `/${encodeURIComponent(text)}` },
      };
      const decision = await Promise.resolve()
        .then(() => store.authorize(question))
        .catch(() => undefined);
      if (decision !== undefined) assertPlain(decision);
    }
  }),
];
