import { BadJournal } from './bad-journal.js';
import { HeadLedger } from './head-ledger.js';
import type { SignedHead } from './signed-head.js';
import { publicKeyOf } from './signing-key.js';
import { type StoredChain, StoredChains } from './stored-chains.js';
import type { VerificationFailure, VerificationReport } from './verification-report.js';
import { statements } from './verification-statements.js';
import type { VerifyJournalOptions } from './verify-journal.js';

/** Options of {@link verifyChains}. */
export interface VerifyChainsOptions extends Omit<VerifyJournalOptions, 'directory'> {
  /** A chain comes after the one it follows. */
  readonly chains: AsyncIterable<StoredChain>;
  /** Heads that are kept beside the lines, in the same store. */
  readonly localHeads?: readonly SignedHead[];
}

/**
 * Verifies what another store keeps of journals, from its lines: as `verifyJournal` does with the files, without what only
 * files have (segments, interrupted writes). What is still on its way there is `records_cut` for a head from elsewhere.
 *
 * @throws TypeError for keys that are none; what reading throws.
 */
export async function verifyChains(options: VerifyChainsOptions): Promise<VerificationReport> {
  const { chains, publicKey, localHeads = [], heads: outside = [] } = options;
  const given = publicKey === undefined ? undefined : Array.isArray(publicKey) ? publicKey : [publicKey];
  const ledger = new HeadLedger(given?.map((key) => publicKeyOf(key)));
  for (const head of localHeads) ledger.add(head, false);
  for (const head of outside) ledger.add(head, true);
  const verification = new StoredChains(ledger);
  let failure: VerificationFailure | undefined;
  try {
    ledger.refuseForged([...localHeads, ...outside]);
    await verification.run(chains);
  } catch (cause) {
    if (!(cause instanceof BadJournal)) throw cause;
    failure = cause.failure;
  }
  const facts = {
    ok: failure === undefined,
    failure,
    ...verification.found(),
    heads: { local: localHeads.length, outside: outside.length, ofRemovedChains: verification.headsOfRemoved },
  };
  return { ...facts, ...statements(facts, { trustedKey: given !== undefined }) };
}
