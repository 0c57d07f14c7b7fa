import type { PartlyAdmitted, Received } from './admission.js';
import { Denial, deny, type ErrorCode } from './errors.js';
import type { Stage } from './pipeline.js';

/** One check and what came of it. `not_spent`: it would use something up or write something down. */
export interface ExplainedCheck {
  /** Rows of the order of checks it stands for. */
  readonly rows: string;
  readonly name: string;
  readonly result: 'passed' | 'denied' | 'not_spent' | 'not_reached';
  readonly error?: ErrorCode;
  readonly reason?: string;
}

/** A decision and every check that led to it. Holds no token, credential or query. */
export interface Explanation {
  readonly decision: 'allowed' | 'denied';
  readonly error: ErrorCode | undefined;
  readonly reason: string | undefined;
  readonly checks: readonly ExplainedCheck[];
  readonly principal:
    | { readonly zoneId: string; readonly issuer: string; readonly applicationId: string; readonly subject: string }
    | undefined;
  readonly resource: string | undefined;
  readonly operation: { readonly template: string; readonly name: string | undefined } | undefined;
  readonly policies: readonly string[];
}

/** Runs the stages of a pipeline that spend nothing, and tells of each. Never rejects. */
export async function explainWith(stages: readonly Stage<never, unknown>[], received: Received): Promise<Explanation> {
  const checks: ExplainedCheck[] = [];
  let denial: Denial | undefined;
  let value: unknown = received;
  for (const { rows, name, spends, run } of stages as readonly Stage<unknown, unknown>[]) {
    if (denial !== undefined) {
      checks.push({ rows, name, result: 'not_reached' });
    } else if (spends) {
      checks.push({ rows, name, result: 'not_spent' });
    } else {
      const step = await attempted(() => run(value));
      if (step instanceof Denial) {
        denial = step;
        checks.push({ rows, name, result: 'denied', error: step.code, reason: step.reason });
      } else {
        value = step;
        checks.push({ rows, name, result: 'passed' });
      }
    }
  }
  return explanation(received, denial, checks);
}

// As the gateway answers it: what a port threw may hold anything, and goes to nobody.
async function attempted(run: () => unknown): Promise<unknown> {
  try {
    return await run();
  } catch (cause) {
    return deny('internal_error', 'pipeline', { cause });
  }
}

function explanation(
  admission: PartlyAdmitted,
  denial: Denial | undefined,
  checks: readonly ExplainedCheck[],
): Explanation {
  const { mandate, resource, operation, policies } = admission;
  return {
    decision: denial === undefined ? 'allowed' : 'denied',
    error: denial?.code,
    reason: denial?.members?.decision?.reason ?? denial?.reason,
    checks,
    principal: mandate && {
      zoneId: mandate.zoneId,
      issuer: mandate.issuer,
      applicationId: mandate.applicationId,
      subject: mandate.subject,
    },
    resource: resource?.identifier,
    operation: operation && { template: operation.template, name: operation.name },
    policies: policies ?? denial?.members?.decision?.policies ?? [],
  };
}
