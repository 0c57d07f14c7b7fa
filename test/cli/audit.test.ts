import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ran, RunningCommand, caracal as run } from './caracal.js';
import {
  DENIED_REQUEST_ID,
  OPEN_REQUEST_ID,
  openEvidenceJournal,
  RECORDS,
  REQUEST_ID,
  writeEvidence,
} from './evidence.js';

let directory: string;
let state: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'caracal-audit-'));
  state = join(directory, 'state');
  await writeEvidence(state);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const caracal = (...args: string[]) => run(args, { cwd: directory });
const typesOf = (ran: Ran) => ran.objects().map(({ type }) => type);
/** Control characters other than line feed, and what turns text round. */
const MISLEADING = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

describe('caracal audit query', () => {
  it('prints a line a record, and nothing that could take over a terminal', async () => {
    const { code, out, err } = await caracal('audit', 'query', '--state', 'state');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const lines = out.trimEnd().split('\n');
    expect(lines).toHaveLength(RECORDS.length);
    expect(lines[1]).toContain('billing-agent  gateway resource://billing-api billing:read');
    expect(lines[3]).toMatch(/^2026-11-25T14:00:00\.012Z {2}request\.completed {3}\S+ +200 executed 12 ms$/);
    expect(lines[5]).toContain(
      '192.0.2.7  GET /\\u001b[2J\\u202e=cmd  401 missing_token refused (authorization_absent)',
    );
    expect(out).not.toMatch(MISLEADING);
  });

  it('prints a JSON object a line with --json, whose values are the record’s', async () => {
    const ran = await caracal('audit', 'query', '--state', 'state', '--json');
    expect({ code: ran.code, err: ran.err }).toEqual({ code: 0, err: '' });
    expect(ran.objects()).toEqual(JSON.parse(JSON.stringify(RECORDS)));
    expect(ran.out).not.toMatch(MISLEADING);
  });

  it.each([
    [['--decision', 'denied'], ['request.denied']],
    [['--outcome', 'executed'], ['request.completed']],
    [
      ['--request-id', REQUEST_ID],
      ['request.authorized', 'request.completed'],
    ],
    [
      ['--application', 'billing-agent', '--resource', 'resource://billing-api', '--limit', '2'],
      ['request.authorized', 'request.completed'],
    ],
    [['--zone', 'other'], []],
    [['--type', 'mandate.issued'], ['mandate.issued']],
    [['--type', 'request.completed', '--application', 'billing-agent'], ['request.completed']],
    [['--subject', 'nobody'], []],
    [['--since', '2026-11-25T14:30:00Z'], ['request.denied']],
    [['--until', '2026-11-25T14:00:00Z'], []],
  ])('finds by %j', async (filter, types) => {
    const ran = await caracal('audit', 'query', '--state', 'state', '--json', ...filter);
    expect(ran.code).toBe(0);
    expect(typesOf(ran)).toEqual(types);
  });

  it.each([
    [['--since', 'yesterday'], '--since is a time such as'],
    [['--limit', '0'], '--limit is a whole number above 0'],
    [['--decision', 'denyed'], '--decision is one of allowed, denied, preflight; did you mean denied?'],
    [['--outcome', 'failed'], '--outcome is one of executed, refused'],
    [['--type', 'request.refused'], '--type is one of request.denied, request.authorized'],
    [['--since', '1h', '--until', '2h'], '--since is not before --until'],
    [['--config', 'x.json'], '--state and --config say the same thing twice'],
    [['stray'], 'stray is one argument too many'],
  ])('refuses %j', async (args, fault) => {
    const { code, out, err } = await caracal('audit', 'query', '--state', 'state', ...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^caracal: /);
    expect(err).toContain(fault);
    const json = await caracal('audit', 'query', '--state', 'state', ...args, '--json');
    expect(json.code).toBe(2);
    expect(json.errors()[0]).toEqual({ level: 'error', message: expect.stringContaining(fault) });
  });

  it('says where it looked for evidence that is not there', async () => {
    const { code, out, err } = await caracal('audit', 'query', '--state', 'elsewhere');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toBe(
      `caracal: there is no evidence in ${join(directory, 'elsewhere', 'audit')}; no gateway has run with this state directory yet\n`,
    );
  });

  it('ends in silence when its reader has gone', async () => {
    const many = join(directory, 'many');
    await writeEvidence(
      many,
      Array.from({ length: 5_000 }, (_, index) => ({ ...RECORDS[5]!, id: String(index) })),
    );
    const running = new RunningCommand(['audit', 'query', '--state', many], {});
    await running.printed(/\n/);
    running.child.stdout.destroy();
    expect(await running.ended).toBe(0);
    expect(running.err).toBe('');
  });
});

describe('caracal audit tail', () => {
  it('shows what is written meanwhile, and ends on SIGINT', async () => {
    const live = join(directory, 'live');
    const journal = await openEvidenceJournal(live);
    try {
      await journal.append(RECORDS[0]!, 'written');
      const tail = new RunningCommand(['audit', 'tail', '--state', live, '--since', '3650d', '--json'], {});
      await tail.printed(/gateway\.started/); // it is listening
      await journal.append(RECORDS[5]!, 'written');
      await tail.printed(/request\.denied/);
      expect(await tail.stop('SIGINT')).toBe(0);
      expect(tail.err).toBe('');
    } finally {
      await journal.close();
    }
  });

  it('ends after --limit records', async () => {
    const { code, out } = await caracal('audit', 'tail', '--state', 'state', '--since', '3650d', '--limit', '2');
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n')).toHaveLength(2);
  });
});

describe('caracal audit trace', () => {
  it('shows all of a request, its mandate’s issue first', async () => {
    const { code, out, err } = await caracal('audit', 'trace', REQUEST_ID, '--state', 'state');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^request \S+: executed\n/);
    expect([...out.matchAll(/^\S+Z {2}(\S+)$/gm)].map(([, type]) => type)).toEqual([
      'mandate.issued',
      'request.authorized',
      'request.completed',
    ]);
    expect(out).toMatch(/^ {2}provider +id provider:\/\/billing, kind api_key$/m);
  });

  it('is one object with --json', async () => {
    const ran = await caracal('audit', 'trace', REQUEST_ID, '--state', 'state', '--json');
    expect(ran.objects()).toEqual([
      {
        requestId: REQUEST_ID,
        outcome: 'executed',
        issue: expect.objectContaining({ type: 'mandate.issued' }),
        records: expect.any(Array),
      },
    ]);
  });

  it('says unknown where the process that knew the end is gone', async () => {
    expect((await caracal('audit', 'trace', OPEN_REQUEST_ID, '--state', 'state')).out).toMatch(/: unknown\n/);
    expect((await caracal('audit', 'trace', DENIED_REQUEST_ID, '--state', 'state')).out).toMatch(/: refused\n/);
  });

  it('fails for a request nobody has seen, and without one', async () => {
    const unseen = await caracal('audit', 'trace', 'none', '--state', 'state');
    expect(unseen.code).toBe(1);
    expect(unseen.err).toMatch(/^caracal: there is no evidence of a request none in /);
    const absent = await caracal('audit', 'trace', '--state', 'state');
    expect(absent.code).toBe(2);
    expect(absent.err).toMatch(/^caracal: ID is missing: /);
  });
});

describe('caracal audit verify', () => {
  const heads = () => join(state, 'audit', 'heads.ndjson');
  const publicKey = async () => {
    const line = (await readFile(join(state, 'audit', '0000000001.ndjson'), 'utf8')).split('\n')[0]!;
    return JSON.parse(line).key as string;
  };

  it('says what is proved and what is not', async () => {
    const { code, out, err } = await caracal('audit', 'verify', '--state', 'state');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /^ok: 7 records, 1 chain, 1 segment in .*\nlast record: chain \S+, seq 7\n\nproved\n {2}- no record/,
    );
    expect(out).toMatch(/not proved\n {2}- who wrote the records/);
  });

  it('proves more with a key and heads from elsewhere', async () => {
    await writeFile(join(directory, 'key'), `${await publicKey()}\n`);
    const ran = await caracal(
      'audit',
      'verify',
      '--state',
      'state',
      '--public-key',
      'key',
      '--heads',
      heads(),
      '--json',
    );
    expect({ code: ran.code, err: ran.err }).toEqual({ code: 0, err: '' });
    expect(ran.objects()).toEqual([expect.objectContaining({ ok: true, notProved: [], records: 7 })]);
    const literal = await caracal('audit', 'verify', '--state', 'state', '--public-key', await publicKey());
    expect(literal.code).toBe(0);
  });

  it('fails with the key of somebody else, and where what was asked for proves nothing', async () => {
    const other = `${'A'.repeat(42)}B`;
    const strange = await caracal('audit', 'verify', '--state', 'state', '--public-key', other);
    expect(strange.code).not.toBe(0);
    await cp(state, join(directory, 'headless'), { recursive: true, filter: (source) => !source.includes('/lock') });
    await rm(join(directory, 'headless', 'audit', 'heads.ndjson'));
    const headless = await caracal('audit', 'verify', '--state', 'headless', '--public-key', await publicKey());
    expect(headless.code).toBe(1);
    expect(headless.out).toMatch(/^NOT OK: /);
    expect(headless.out).toContain('no head is signed with the given key, so it proves nothing');
  });

  it('names the first bad record', async () => {
    const segment = join(directory, 'changed', 'audit', '0000000001.ndjson');
    await cp(state, join(directory, 'changed'), { recursive: true, filter: (source) => !source.includes('/lock') });
    await writeFile(segment, (await readFile(segment, 'utf8')).replace('"status":200', '"status":404'));
    const { code, out, err } = await caracal('audit', 'verify', '--state', 'changed');
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(out).toMatch(/^NOT OK: .*\nfirst bad record: 0000000001\.ndjson, line 5, chain \S+, seq 5\n/);
    const json = await caracal('audit', 'verify', '--state', 'changed', '--json');
    expect(json.code).toBe(1);
    expect(json.objects()[0]).toMatchObject({ ok: false, failure: { reason: 'wrong_hash', line: 5 } });
  });

  it('refuses files that hold no key or no heads', async () => {
    await writeFile(join(directory, 'nonsense'), 'nonsense\n');
    for (const [args, fault] of [
      [['--public-key', 'nonsense'], '--public-key: publicKey is an Ed25519 public key'],
      [['--public-key', 'missing'], '--public-key: missing: there is no such file'],
      [['--heads', 'nonsense'], '--heads: line 1 of nonsense is not a signed head'],
      [['--heads', 'missing'], '--heads: missing: there is no such file'],
    ] as const) {
      const { code, out, err } = await caracal('audit', 'verify', '--state', 'state', ...args);
      expect({ code, out }, args.join(' ')).toEqual({ code: 2, out: '' });
      expect(err).toContain(`caracal: ${fault}`);
    }
  });
});

describe('caracal audit export', () => {
  it('writes NDJSON with seq and hash', async () => {
    const ran = await caracal('audit', 'export', '--state', 'state');
    expect({ code: ran.code, err: ran.err }).toEqual({ code: 0, err: '' });
    expect(ran.objects().map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6, 7]);
    expect(ran.objects()[0].hash).toMatch(/^[0-9a-f]{64}$/);
    expect(ran.out).not.toMatch(MISLEADING);
  });

  it('writes CSV that is one record a line and no formula', async () => {
    const { code, out } = await caracal(
      'audit',
      'export',
      '--state',
      'state',
      '--format',
      'csv',
      '--decision',
      'denied',
    );
    expect(code).toBe(0);
    const [header, row, end] = out.split('\r\n');
    expect(header).toMatch(/^id,type,time,/);
    expect(row).toContain('/\\u001b[2J\\u202e=cmd');
    expect(end).toBe('');
  });

  it('writes OCSF events, both records of a request in one', async () => {
    const ran = await caracal('audit', 'export', '--state', 'state', '--format', 'ocsf');
    expect(ran.code).toBe(0);
    expect(ran.objects().map(({ status }) => status)).toEqual(['Success', 'Failure', 'Unknown']);
    expect(ran.objects()[0]).toMatchObject({ class_uid: 6003, http_response: { code: 200 } });
  });

  it('refuses another format', async () => {
    const { code, err } = await caracal('audit', 'export', '--state', 'state', '--format', 'xml');
    expect(code).toBe(2);
    expect(err).toContain('--format is one of ndjson, csv, ocsf');
  });
});
