import { type Attached, learn } from '../admission.js';
import { ask } from '../ask.js';
import type { Authorized } from '../authorize/stages.js';
import { chain, type Stage } from '../pipeline.js';

/** Row 15: the upstream's own credential can be had. */
export function attachedCredential(timeoutMs: number): Stage<Authorized, Attached> {
  return {
    rows: '15',
    name: 'credential',
    spends: false,
    run: (admission) => {
      const { mandate, token, resource, head } = admission;
      const { presence } = head;
      return chain(
        ask('credential_unavailable', timeoutMs, () =>
          resource.provider.attach({ mandate, token, resource, presence }),
        ),
        (credential) => learn(admission, { credential }),
      );
    },
  };
}
