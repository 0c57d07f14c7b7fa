import type { Connections } from '../connection.js';

/** One chain as it is kept here: what `verifyChains` of `@caracal/file` reads. */
export interface KeptChain {
  readonly chain: string;
  readonly predecessor: string | undefined;
  /** Retention has dropped its entries up to here. */
  readonly removedThrough: { readonly seq: number; readonly hash: string } | undefined;
  /** Its lines from there on, in order, as they stood in the journal; those that were set aside too. */
  readonly lines: AsyncIterable<string>;
}

const PAGE = 2000;
// What is set aside stands in for an entry that is not there; where there is one, that is the chain.
const LINES = `SELECT seq::text AS seq, line, bytes FROM (
  (SELECT seq, line, NULL::bytea AS bytes FROM caracal.audit_entries WHERE chain = $1 AND seq > $2 ORDER BY seq LIMIT ${PAGE})
  UNION ALL
  (SELECT seq, NULL, bytes FROM caracal.audit_set_aside AS aside WHERE chain = $1 AND seq > $2 AND NOT EXISTS (
     SELECT FROM caracal.audit_entries AS kept WHERE kept.chain = aside.chain AND kept.seq = aside.seq
   ) ORDER BY seq LIMIT ${PAGE})
) AS lines ORDER BY lines.seq LIMIT ${PAGE}`;

/** Every chain, each after the one it follows. */
export async function* readChains(
  connections: Connections,
  timeoutMs: number,
): AsyncGenerator<KeptChain, void, undefined> {
  const { rows } = await connections.query(
    timeoutMs,
    `SELECT chain::text AS chain, predecessor::text AS predecessor, removed_seq::text AS removed_seq, removed_hash
     FROM caracal.audit_chains ORDER BY first_seen_at, chain`,
  );
  for (const { chain, predecessor, removed_seq, removed_hash } of inOrder(rows)) {
    const removed = removed_seq === null ? undefined : { seq: Number(removed_seq), hash: String(removed_hash) };
    yield {
      chain,
      predecessor: predecessor ?? undefined,
      removedThrough: removed,
      lines: readLines(connections, timeoutMs, chain, removed?.seq ?? 0),
    };
  }
}

interface ChainRow {
  readonly chain: string;
  readonly predecessor: string | null;
  readonly removed_seq: string | null;
  readonly removed_hash: string | null;
}

function inOrder(rows: readonly ChainRow[]): ChainRow[] {
  const known = new Set(rows.map(({ chain }) => chain));
  const followers = new Map<string, ChainRow[]>();
  const waiting: ChainRow[] = [];
  for (const row of rows) {
    const { predecessor } = row;
    if (predecessor === null || !known.has(predecessor)) waiting.push(row);
    else if (followers.has(predecessor)) followers.get(predecessor)!.push(row);
    else followers.set(predecessor, [row]);
  }
  const ordered: ChainRow[] = [];
  waiting.reverse();
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    ordered.push(row);
    waiting.push(...(followers.get(row.chain) ?? []).reverse());
  }
  // A circle can only be forged: its chains come last, and do not verify.
  const reached = new Set(ordered);
  return [...ordered, ...rows.filter((row) => !reached.has(row))];
}

async function* readLines(
  connections: Connections,
  timeoutMs: number,
  chain: string,
  behind: number,
): AsyncGenerator<string, void, undefined> {
  for (let after: number | string = behind; ; ) {
    const { rows } = await connections.query(timeoutMs, LINES, [chain, after]);
    for (const { line, bytes } of rows) yield line ?? bytes.toString('utf8');
    if (rows.length < PAGE) return;
    after = rows.at(-1).seq;
  }
}
