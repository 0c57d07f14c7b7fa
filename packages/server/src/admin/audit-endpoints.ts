import { headLine, type Journal } from '@caracal/file';
import type { PostgresAuditReader } from '@caracal/postgres';
import type { Context, Hono } from 'hono';
import { causeName } from '../log/fault-log.js';
import type { Log } from '../log/log.js';
import type { EvidencePlace } from '../state/evidence-place.js';
import { postgresFailure } from '../state/postgres-failure.js';
import { type AuditQuery, auditQuery, evidenceSource, type ToldRecord, toldRecord } from './audit-query.js';
import { begun, ndjsonResponse } from './ndjson.js';

/** What is needed of the server. */
export interface AuditAdmin {
  /** What this gateway has written. */
  readonly journal: Journal;
  /** What every gateway has shipped; `undefined` where this one does not. */
  readonly shipped: PostgresAuditReader | undefined;
  readonly log: Log;
  /** Ends streams when the process does. */
  readonly closing: AbortSignal;
  /** Whether what the caller has shown is the admin token still. */
  isAuthenticated(c: Context): Promise<boolean>;
}

/** One request's evidence, wherever it is. */
interface Traced {
  readonly records: readonly ToldRecord[];
  readonly issue: ToldRecord | undefined;
  readonly outcome: string | undefined;
}

/**
 * Evidence: where it is shipped to PostgreSQL, every gateway's from there, unless the caller asks for the journal. What follows it as
 * it is written, and what a verifier needs, is this gateway's own.
 */
export function auditEndpoints(app: Hono, admin: AuditAdmin): void {
  const { journal, shipped, log } = admin;
  const answer = async (c: Context, run: (place: EvidencePlace) => Promise<Response>): Promise<Response> => {
    const place = evidenceSource(new URL(c.req.url).searchParams, shipped === undefined ? ['journal'] : BOTH);
    if (place === undefined) return failure(c, 400, 'invalid_request', unknownSource(shipped !== undefined));
    try {
      return await run(place);
    } catch (cause) {
      const fault = postgresFailure(cause);
      if (fault === undefined) throw cause;
      log({ level: 'error', event: 'evidence_unavailable', message: fault, cause: causeName(cause) });
      const remedy = 'source=journal answers from what this gateway has written';
      return failure(c, 503, 'evidence_unavailable', `${fault}; ${remedy}.`);
    }
  };
  app.get('/v1/audit/records', (c) =>
    answer(c, async (place) => {
      const query = auditQuery(new URL(c.req.url).searchParams, 'after');
      if (typeof query === 'string') return failure(c, 400, 'invalid_request', query);
      const found = place === 'postgres' ? pageOf(shipped!, query) : pageOf(journal, query);
      // What fails at once is an answer of its own; what fails later breaks off.
      return ndjsonResponse(await begun(told(found)));
    }),
  );
  app.get('/v1/audit/requests/:requestId', (c) =>
    answer(c, async (place) => {
      const requestId = c.req.param('requestId') as string;
      const { records, issue, outcome } =
        place === 'postgres' ? await tracedTogether(shipped!, journal, requestId) : await journal.trace(requestId);
      if (records.length === 0) return failure(c, 404, 'not_found', 'There is no evidence of such a request.');
      const told = { requestId, outcome, issue: issue === undefined ? undefined : toldRecord(issue) };
      return c.json({ ...told, records: records.map(toldRecord) });
    }),
  );
  app.get('/v1/audit/stream', (c) => {
    const query = auditQuery(new URL(c.req.url).searchParams, 'from');
    if (typeof query === 'string') return failure(c, 400, 'invalid_request', query);
    const { filter, from = 'end' } = query;
    const gone = new AbortController();
    const signal = AbortSignal.any([gone.signal, admin.closing]);
    const records = told(journal.follow({ filter, from, signal }));
    return ndjsonResponse(whileAuthenticated(records, c, admin), { heartbeat: true, stop: () => gone.abort() });
  });
  app.get('/v1/audit/public-key', (c) => c.body(journal.publicKey, 200, { 'Content-Type': 'application/x-pem-file' }));
  app.get('/v1/audit/heads', async (c) => {
    const lines = (await journal.heads()).map((head) => `${headLine(head)}\n`);
    return c.body(lines.join(''), 200, { 'Content-Type': 'application/x-ndjson' });
  });
}

const BOTH: readonly EvidencePlace[] = ['postgres', 'journal'];

function unknownSource(isShipped: boolean): string {
  return isShipped
    ? 'source is postgres or journal.'
    : 'source is journal: evidence is not shipped to PostgreSQL here.';
}

function pageOf(
  source: {
    query(
      filter: AuditQuery['filter'],
      options: { from: Exclude<AuditQuery['from'], 'end' | undefined> },
    ): AsyncIterable<ToldRecord>;
  },
  { filter, limit, from = 'start' }: AuditQuery,
): AsyncIterable<ToldRecord> {
  return source.query({ ...filter, limit }, { from: from === 'end' ? 'start' : from });
}

/**
 * What was shipped, and, while that has no end, what this gateway has written and not shipped yet: whoever was refused a moment ago
 * finds the record.
 */
async function tracedTogether(shipped: PostgresAuditReader, journal: Journal, requestId: string): Promise<Traced> {
  const there = await shipped.trace(requestId);
  if (there.records.some(({ record }) => record.outcome !== undefined)) return there;
  const here = await journal.trace(requestId);
  if (here.records.length <= there.records.length) return there;
  return { ...here, issue: here.issue ?? there.issue };
}

/** Ends before the first value that would go to a token which is the admin token no more. */
async function* whileAuthenticated<T>(values: AsyncIterable<T>, c: Context, admin: AuditAdmin) {
  for await (const value of values) {
    if (!(await admin.isAuthenticated(c))) return;
    yield value;
  }
}

async function* told(records: AsyncIterable<ToldRecord>) {
  for await (const record of records) yield toldRecord(record);
}

function failure(c: Context, status: 400 | 404 | 503, error: string, description: string): Response {
  if (status === 503) c.header('Retry-After', '1');
  return c.json({ error, error_description: description }, status);
}
