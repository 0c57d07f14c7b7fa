import type { AuditFilter } from '@caracal/core';
import type { RequestTrace, SignedHead, VerificationReport } from '@caracal/file';
import type { PostgresAuditReader } from '@caracal/postgres';
import type { Configuration } from '../configuration/configuration.js';
import type { Invocation, OptionSpecs } from '../frame/command.js';
import { failed, wrongUse } from '../frame/command-error.js';
import { type EvidencePlace, evidencePlace } from '../state/evidence-place.js';
import { postgresFailure } from '../state/postgres-failure.js';
import { openConfiguration } from './configuration-option.js';
import { openDatabase } from './database.js';
import { openEvidence, STATE_OPTIONS } from './state-directory.js';

const FROM = { type: 'string', choices: ['journal', 'postgres'] } as const;

/** Where evidence is read from: history is where all gateways' is together. */
export const SOURCE_OPTIONS = {
  ...STATE_OPTIONS,
  from: {
    ...FROM,
    help: 'this gateway’s journal, or PostgreSQL, where every gateway’s is (the default where it is shipped there and that answers)',
  },
} as const satisfies OptionSpecs;

/** The same where it is the journal unless something else is said. */
export const VERIFY_SOURCE_OPTIONS = {
  ...STATE_OPTIONS,
  from: { ...FROM, help: 'the journal (the default), or what PostgreSQL keeps of every gateway’s' },
} as const satisfies OptionSpecs;

/** A record, and its place in its chain. */
type Found = Pick<RequestTrace['records'][number], 'record' | 'seq' | 'hash'>;

/** Evidence, open for reading. */
export interface EvidenceSource {
  /** For people: a directory, or the database. */
  readonly where: string;
  query(filter: AuditFilter): AsyncIterable<Found>;
  trace(requestId: string): Promise<{
    readonly records: readonly Found[];
    readonly issue: Found | undefined;
    readonly outcome: string | undefined;
  }>;
  verify(options: { heads: readonly SignedHead[]; publicKey?: string[] }): Promise<VerificationReport>;
}

const DATABASE = 'PostgreSQL';
const PROBE_TIMEOUT_MS = 5_000;

/**
 * Opens what options name. Says on standard error which one was read, where there is more than one.
 *
 * @throws CommandError
 */
export async function openSource(
  invocation: Pick<Invocation<typeof SOURCE_OPTIONS>, 'options' | 'cwd' | 'env' | 'output'>,
  preferred: EvidencePlace,
): Promise<EvidenceSource> {
  const { options, output } = invocation;
  if (options.state !== undefined) {
    if (options.from === 'postgres') throw wrongUse('--state names a journal, and --from postgres something else');
    return await journalSource(invocation);
  }
  const { configuration } = await openConfiguration(invocation, { orDev: true });
  const isShipped = evidencePlace(configuration) === 'postgres';
  if (!isShipped && options.from !== 'postgres') return await journalSource(invocation);
  if ((options.from ?? preferred) === 'journal') {
    const source = await journalSource(invocation);
    output.note(`read from the journal in ${source.where}; PostgreSQL keeps every gateway's: --from postgres`);
    return source;
  }
  const source = await databaseSource(configuration, invocation.env, options.from === 'postgres');
  if (typeof source !== 'string') {
    output.note(
      'read from PostgreSQL, where evidence arrives a moment after it was written: --from journal reads the rest',
    );
    return source;
  }
  const journal = await journalSource(invocation);
  output.note(`read from the journal in ${journal.where} alone: ${source}`);
  return journal;
}

async function journalSource(
  invocation: Pick<Invocation<typeof STATE_OPTIONS>, 'options' | 'cwd'>,
): Promise<EvidenceSource> {
  const { reader, directory } = await openEvidence(invocation);
  return {
    where: directory,
    query: (filter) => reader.query(filter),
    trace: (requestId) => reader.trace(requestId),
    verify: (options) => reader.verify(options),
  };
}

/** Why it does not answer, where that may be. */
async function databaseSource(
  configuration: Configuration,
  environment: NodeJS.ProcessEnv,
  required: boolean,
): Promise<EvidenceSource | string> {
  const pool = await openDatabase(configuration, environment, { asReader: true });
  const { postgresAuditReader, schemaVersion } = await import('@caracal/postgres');
  try {
    if ((await schemaVersion(pool, PROBE_TIMEOUT_MS)) > 0) return sourceOf(postgresAuditReader({ pool }));
    if (required) throw failed('the database has no tables of Caracal; run: caracal migrate');
    return 'the database has no tables of Caracal';
  } catch (cause) {
    const failure = postgresFailure(cause);
    if (failure === undefined) throw cause;
    if (required) throw failed(failure);
    return failure;
  }
}

function sourceOf(reader: PostgresAuditReader): EvidenceSource {
  return {
    where: DATABASE,
    query: (filter) => told(reader.query(filter)),
    trace: (requestId) => reader.trace(requestId).catch(tell),
    verify: async ({ heads, publicKey }) => {
      const { verifyChains } = await import('@caracal/file');
      const localHeads = await reader.heads().catch(tell);
      const given = publicKey === undefined ? {} : { publicKey };
      return await verifyChains({ chains: reader.chains(), localHeads, heads, ...given }).catch(tell);
    },
  };
}

async function* told<T>(entries: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  try {
    yield* entries;
  } catch (cause) {
    tell(cause);
  }
}

function tell(cause: unknown): never {
  const failure = postgresFailure(cause);
  throw failure === undefined ? cause : failed(failure);
}
