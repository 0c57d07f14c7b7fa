import { learn, type Resolved } from '../admission.js';
import { ask } from '../ask.js';
import { deny } from '../errors.js';
import { chain, isPromise, type Stage, type Step } from '../pipeline.js';
import type { AuthorizationDecision, AuthorizationRequest, Authorizer } from './authorizer.js';
import type { RateLimiter } from './rate-limiter.js';
import { checkOperation, checkRequirements, checkScopes } from './requirements.js';

/** Row 9: the operation is declared, where operations are enforced. */
export const declaredOperation: Stage<Resolved, Resolved> = {
  rows: '9',
  name: 'operation',
  spends: false,
  run: (admission) => checkOperation(admission.resource, admission.operation) ?? admission,
};

/** Row 10: the mandate holds every scope of the operation, or of the resource where no operation applies. */
export const grantedScopes: Stage<Resolved, Resolved> = {
  rows: '10',
  name: 'scopes',
  spends: false,
  run: (admission) => checkScopes(admission.mandate, admission.resource, admission.operation) ?? admission,
};

/** Row 11: what the resource requires of session, delegation, hops and chain. */
export const metRequirements: Stage<Resolved, Resolved> = {
  rows: '11',
  name: 'requirements',
  spends: false,
  run: (admission) => checkRequirements(admission.mandate, admission.resource) ?? admission,
};

/** Rows 12 and 13: within the rate limit of (zone, issuer, application, resource). */
export function withinRateLimit(limiter: RateLimiter, timeoutMs: number): Stage<Resolved, Resolved> {
  return {
    rows: '12, 13',
    name: 'rate limit',
    spends: true,
    run: (admission) => {
      const { resource, mandate } = admission;
      const limit = resource.rateLimit;
      if (limit === undefined) return admission;
      const { zoneId, issuer, applicationId } = mandate;
      const key = { zoneId, issuer, applicationId, resource: resource.identifier };
      return chain(
        ask('rate_limit_unavailable', timeoutMs, () => limiter.consume(key, limit)),
        (verdict) => {
          if (verdict?.allowed === true) return admission;
          if (verdict?.allowed !== false || !Number.isFinite(verdict.retryAfterSeconds)) {
            return deny('rate_limit_unavailable', 'invalid_verdict');
          }
          return deny('rate_limited', 'rate_limited', { retryAfterSeconds: verdict.retryAfterSeconds });
        },
      );
    },
  };
}

/** A request that every authorizer has allowed. */
export interface Authorized extends Resolved {
  /** Policies that determined the decision, of all authorizers. */
  readonly policies: readonly string[];
}

const NO_POLICIES: readonly string[] = Object.freeze([]);
const MAX_POLICIES = 32;

/** Row 14: each configured authorizer allows, asked one after the other; the first that denies answers. */
export function allowedByAuthorizers(
  authorizers: readonly Authorizer[],
  timeoutMs: number,
): Stage<Resolved, Authorized> {
  return {
    rows: '14',
    name: 'authorizers',
    spends: false,
    run: (admission) => {
      if (authorizers.length === 0) return learn(admission, { policies: NO_POLICIES });
      const question = questionOf(admission);
      return chain(askFrom(authorizers, 0, question, timeoutMs, NO_POLICIES), (policies) =>
        learn(admission, { policies }),
      );
    },
  };
}

function askFrom(
  authorizers: readonly Authorizer[],
  index: number,
  question: AuthorizationRequest,
  timeoutMs: number,
  policies: readonly string[],
): Step<readonly string[]> {
  const authorizer = authorizers[index];
  if (authorizer === undefined) return policies;
  return chain(
    ask('authorizer_unavailable', timeoutMs, () => authorizer.authorize(question)),
    (decision) => {
      // Only a plain `true` allows: an answer of another shape is a fault of the authorizer, not a permission.
      if (!isDecision(decision)) return deny('authorizer_unavailable', 'invalid_decision');
      if (!decision.allowed) return deny('access_denied', 'authorizer', { decision });
      const collected = [...policies, ...(decision.policies ?? [])].slice(0, MAX_POLICIES);
      return askFrom(authorizers, index + 1, question, timeoutMs, collected);
    },
  );
}

// All of it: what a decision point answers is somebody else's JSON, and reason and policies go into the record as they are.
function isDecision(decision: unknown): decision is AuthorizationDecision {
  if (typeof decision !== 'object' || decision === null || isPromise(decision)) return false;
  const { allowed, reason, policies } = decision as Partial<Record<keyof AuthorizationDecision, unknown>>;
  return (
    typeof allowed === 'boolean' &&
    (reason === undefined || typeof reason === 'string') &&
    (policies === undefined || (Array.isArray(policies) && policies.every((policy) => typeof policy === 'string')))
  );
}

function questionOf(admission: Resolved): AuthorizationRequest {
  const { resource, operation, request, head, path } = admission;
  return {
    requestId: admission.requestId,
    principal: admission.mandate,
    resource: { zoneId: resource.zoneId, identifier: resource.identifier },
    operation: { method: request.method, template: operation?.template, name: operation?.name, path },
    peer: head.peer,
  };
}
