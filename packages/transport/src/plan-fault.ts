import type { Plan, TransportFailure } from '@caracal/core';

/**
 * What makes a plan impossible to send as it stands. The pipeline makes no such plan; the check is here because undici
 * would send something else instead: an absolute-form target, a tunnel, a body without its bytes, or two framings.
 *
 * @param length the plan's `Content-Length`, `NaN` where it is not one number
 */
export function planFault(plan: Plan, length: number | undefined, hasBody: boolean): TransportFailure | undefined {
  if (plan.method === 'CONNECT') return invalid('a plan cannot open a tunnel');
  if (!plan.target.startsWith('/')) return invalid('a target must begin with a slash');
  if (plan.framing === 'none') return undefined;
  if (plan.framing === 'chunked') {
    if (length !== undefined) return invalid('a chunked body must not declare a length');
  } else if (length === undefined || Number.isNaN(length)) {
    return invalid('a body of known length must declare it once');
  }
  if (!hasBody && length !== 0) return { kind: 'body', cause: new Error('there is no body to send') };
  return undefined;
}

function invalid(text: string): TransportFailure {
  return { kind: 'invalid', cause: new TypeError(text) };
}
