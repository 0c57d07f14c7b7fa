import type { Resolved } from '../admission.js';
import { ask } from '../ask.js';
import { deny } from '../errors.js';
import { chain, type Stage } from '../pipeline.js';
import type { Verifier } from '../verify/verifier.js';
import type { ReplayStore } from './replay-store.js';

/**
 * Row 17: a single-use mandate was not seen before. It is the last check that spends: nothing refused earlier uses one up. A
 * `verifier` is told of mandates that are good for nothing more.
 */
export function firstUse<T extends Resolved>(
  replays: ReplayStore,
  timeoutMs: number,
  verifier?: Pick<Verifier, 'forget'>,
): Stage<T, T> {
  return {
    rows: '17',
    name: 'single use',
    spends: true,
    run: (admission) => {
      if (admission.resource.mandateReuse !== 'single_use') return admission;
      const { zoneId, issuer, jti, issuedAt, expiresAt } = admission.mandate;
      return chain(
        ask('replay_unavailable', timeoutMs, () => replays.use({ zoneId, issuer, jti, issuedAt, expiresAt })),
        (verdict) => {
          if (verdict === 'first') {
            // Kept, it would push others out of the cache. With more targets it may be used again, where that is allowed.
            if (admission.mandate.targets.length === 1) verifier?.forget(admission);
            return admission;
          }
          const known = verdict === 'replayed' || verdict === 'before_store';
          return known ? deny('token_replayed', verdict) : deny('replay_unavailable', 'invalid_verdict');
        },
      );
    },
  };
}
