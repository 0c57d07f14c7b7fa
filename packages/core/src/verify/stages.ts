import { type Checked, learn, type Verified } from '../admission.js';
import type { Clock } from '../clock.js';
import { deny } from '../errors.js';
import { chain, type Stage } from '../pipeline.js';
import type { Mandate } from './mandate.js';
import type { RevocationStore } from './revocation-store.js';
import type { Verifier } from './verifier.js';

/** Rows 3 and 4: a mandate is present, and a trusted issuer signed it. Synchronous for a mandate seen before. */
export function verifiedMandate(verifier: Verifier): Stage<Checked, Verified> {
  return {
    rows: '3, 4',
    name: 'mandate',
    spends: false,
    run: (admission) =>
      chain(verifier.verify(admission.request.authorization, admission.head.peer.address), (verified) =>
        learn(admission, verified),
      ),
  };
}

/** What the checks of revocation are made with. */
export interface RevocationChecks {
  readonly revocations: RevocationStore;
  readonly clock: Clock;
  /** How old the proof may be that local state is complete, ms. */
  readonly maxStalenessMs: number;
}

/** Row 5: local revocation state was proved complete recently enough. */
export function freshRevocations<T extends Verified>(checks: RevocationChecks): Stage<T, T> {
  return {
    rows: '5',
    name: 'revocation state',
    spends: false,
    run: (admission) => staleness(checks) ?? admission,
  };
}

/** Row 6: none of the mandate's anchors is revoked. */
export function unrevokedMandate<T extends Verified>({ revocations }: RevocationChecks): Stage<T, T> {
  return {
    rows: '6',
    name: 'revocation',
    spends: false,
    run: (admission) => revoked(revocations, admission.mandate) ?? admission,
  };
}

/** Row 19: what may have changed while a stage waited, judged once more, and nothing waits after it. */
export function stillValid<T extends Verified>(
  checks: RevocationChecks & { readonly verifier: Pick<Verifier, 'expired'> },
): Stage<T, T> {
  return {
    rows: '19',
    name: 'still valid',
    spends: false,
    run: (admission) => {
      const { mandate } = admission;
      if (checks.verifier.expired(mandate)) return deny('invalid_token', 'expired');
      return staleness(checks) ?? revoked(checks.revocations, mandate) ?? admission;
    },
  };
}

function staleness({ revocations, clock, maxStalenessMs }: RevocationChecks) {
  const age = clock.monotonic() - revocations.freshAsOf();
  // Not `age > max`: a store without any proof answers NaN or -Infinity, and neither is fresh.
  return age <= maxStalenessMs ? undefined : deny('revocation_unavailable', 'stale');
}

function revoked(revocations: RevocationStore, mandate: Mandate) {
  return revocations.isRevoked(mandate.anchors) ? deny('session_revoked', 'revoked') : undefined;
}
