import type { CaseRequest, HttpCase } from './case.js';
import type { HeaderField } from './message.js';

/** A case that sends a request and looks at the headers its upstream got. */
export function upstreamSees(
  name: string,
  section: string,
  request: CaseRequest,
  check: (headers: readonly HeaderField[]) => void,
): HttpCase {
  return {
    name,
    section,
    run: async (t) => {
      await t.allowed(await t.send(request));
      check(t.received().headers);
    },
  };
}
