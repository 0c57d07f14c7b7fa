import type { KeyObject } from 'node:crypto';
import { requireDirectory } from '../storage-error.js';
import { BadJournal } from './bad-journal.js';
import { ChainVerification } from './chain-verification.js';
import { HEADS_FILE, readHeads } from './head-file.js';
import { HeadLedger } from './head-ledger.js';
import type { SignedHead } from './signed-head.js';
import { publicKeyOf } from './signing-key.js';
import type { VerificationFailure, VerificationReport } from './verification-report.js';
import { statements } from './verification-statements.js';

/** Options of {@link verifyJournal}. */
export interface VerifyJournalOptions {
  readonly directory: string;
  /** The gateway's public key(s), kept apart from the journal: PEM, raw base64url, or a KeyObject. */
  readonly publicKey?: string | KeyObject | readonly (string | KeyObject)[];
  /** Heads that were kept apart from the journal: see `parseHead`. */
  readonly heads?: readonly SignedHead[];
}

/**
 * Verifies every byte of a journal: each record follows the one before it, each segment and chain the one before it, and
 * every signed head is met. A running process may write meanwhile. Says what that proves, and what it cannot.
 *
 * @throws TypeError for keys that are none; StorageError for a directory that cannot be read; what reading throws.
 */
export async function verifyJournal(options: VerifyJournalOptions): Promise<VerificationReport> {
  const { directory, publicKey, heads: outside = [] } = options;
  const given = publicKey === undefined ? undefined : Array.isArray(publicKey) ? publicKey : [publicKey];
  const keys = given?.map((key: string | KeyObject) => publicKeyOf(key));
  await requireDirectory(directory);
  const local = await readHeads(directory);
  const ledger = new HeadLedger(keys);
  for (const head of local.heads) ledger.add(head, false);
  for (const head of outside) ledger.add(head, true);
  const verification = new ChainVerification(directory, ledger);
  let failure: VerificationFailure | undefined;
  try {
    await verification.run();
    judgeHeadFile(local.invalidLines);
    ledger.refuseForged([...local.heads, ...outside]);
    verification.judgeOtherChains();
  } catch (cause) {
    if (!(cause instanceof BadJournal)) throw cause;
    failure = cause.failure;
  }
  const facts = {
    ok: failure === undefined,
    failure,
    ...verification.found(),
    heads: { local: local.heads.length, outside: outside.length, ofRemovedChains: verification.headsOfRemovedChains },
  };
  return { ...facts, ...statements(facts, { trustedKey: keys !== undefined }) };
}

function judgeHeadFile([line]: readonly number[]): void {
  if (line === undefined) return;
  const message = 'a line of the heads file is not a head';
  throw new BadJournal({ reason: 'head_invalid', message, file: HEADS_FILE, line });
}
