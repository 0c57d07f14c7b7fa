import { readFile } from 'node:fs/promises';
import {
  type AuditRecord,
  CSV_COLUMNS,
  type GatewayOptions,
  type ResourceDefinition,
  STATUS_OF_CODE,
} from '@caracal/core';
import { STATUS_OF_TOKEN_ERROR } from '@caracal/sts';
import { describe, expect, it } from 'vitest';
import { AUTHORIZED, COMPLETED, CONNECTION, DENIED } from '../../packages/core/src/audit/export/record.fixture.js';
import { type FakeWorld, fakeWorld } from '../gateway/fake-world.js';
import { type JsonSchema, schemaFaults } from './json-schema.js';

const reference = (name: string) => readFile(new URL(`../../docs/reference/${name}`, import.meta.url), 'utf8');
const schema = JSON.parse(await reference('audit-record.schema.json')) as JsonSchema;
// A formatter pads the cells of tables.
const formats = (await reference('audit-formats.md')).replaceAll(/ +/g, ' ');

/** As a record is once it was written and read. */
const written = (record: object): Record<string, unknown> => JSON.parse(JSON.stringify(record));

type Scene = [
  name: string,
  run: (world: FakeWorld) => Promise<unknown>,
  resource?: Partial<ResourceDefinition>,
  options?: Partial<GatewayOptions>,
];

const delegated = {
  delegation_edge_id: 'edge-2',
  delegation_path: ['edge-1', 'edge-2'],
  delegation_chain: [{ application_id: 'planner', delegation_edge_id: 'edge-1' }, { application_id: 'test-agent' }],
  hop_count: 2,
  agent_session_id: 'run-1',
};

const SCENES: Scene[] = [
  ['an allowed request', async (world) => world.send(world.head(await world.mint()))],
  [
    'a delegated request with an id of its own',
    async (world) => world.send(world.head(await world.mint(delegated), { extra: ['X-Request-Id', 'mine-1'] })),
  ],
  [
    'a buffered request',
    async (world) => world.send(world.head(await world.mint(delegated))),
    {},
    { audit: undefined as never },
  ],
  [
    'an upstream that fails',
    async (world) => {
      world.transport.upstream = (handler) => handler.onFailure({ kind: 'unreachable', cause: undefined });
      await world.send(world.head(await world.mint()));
    },
  ],
  ['no mandate', (world) => world.send(world.head(undefined))],
  ['a bad target', (world) => world.send(world.head(undefined, { target: 'http://a.example/\u0000?q' }))],
  ['a strange method', (world) => world.send(world.head(undefined, { method: 'x'.repeat(100) }))],
  ['a long path', async (world) => world.send(world.head(await world.mint(), { target: `/${'a'.repeat(5000)}` }))],
  ['a missing scope', async (world) => world.send(world.head(await world.mint({ scope: '' })))],
  [
    'an authorizer’s answer',
    async (world) => world.send(world.head(await world.mint())),
    {},
    {
      authorizers: [
        { authorize: () => ({ allowed: false, reason: 'r'.repeat(2000), policies: Array(100).fill('p') }) },
      ],
    },
  ],
  [
    'a flood',
    async (world) => {
      for (let index = 0; index < 150; index++) await world.send(world.head(undefined));
    },
  ],
  [
    'a preflight',
    (world) => {
      const preflight = ['Origin', 'https://app.example', 'Access-Control-Request-Method', 'GET'];
      return world.send(world.head(undefined, { method: 'OPTIONS', extra: preflight }));
    },
    {},
    { cors: { origins: ['https://app.example'] } },
  ],
];

describe('the schema of records', () => {
  it.each(SCENES)('holds for what is left by %s', async (name, run, resource = {}, options = {}) => {
    const { audit, ...others } = options;
    const kept: AuditRecord[] = [];
    const sink = { append: (record: AuditRecord) => void kept.push(record) };
    const durability = name.includes('buffered') ? ('buffered' as const) : ('written' as const);
    const world = await fakeWorld(resource, { ...others, audit: { sink, durability } });
    await run(world);
    await world.gateway.close({ drainTimeoutMs: 1 });
    expect(kept.length).toBeGreaterThan(2); // started, at least one, stopped
    for (const record of kept)
      expect({ record, faults: schemaFaults(written(record), schema) }).toMatchObject({ faults: [] });
  });

  it('holds for records with every member, and knows every error', () => {
    for (const record of [AUTHORIZED, COMPLETED, DENIED, CONNECTION])
      expect(schemaFaults(written(record), schema)).toEqual([]);
    const codes = new Set([...Object.keys(STATUS_OF_CODE), ...Object.keys(STATUS_OF_TOKEN_ERROR)]);
    expect(new Set(schema.properties!.error!.enum)).toEqual(codes);
  });

  it('refuses what is no record', () => {
    const spoiled = [
      { ...AUTHORIZED, query: 'a=1' },
      { ...AUTHORIZED, type: 'request.unknown' },
      { ...AUTHORIZED, time: '2030-01-01' },
      { ...AUTHORIZED, subject: undefined },
      { ...COMPLETED, status: 99 },
      { ...COMPLETED, durationMs: Number.NaN },
      { ...COMPLETED, path: 'p'.repeat(3000) },
      { ...DENIED, delegationChain: [{ applicationId: 'a', token: 't' }] },
    ];
    for (const record of spoiled) expect(schemaFaults(written(record), schema)).not.toEqual([]);
  });

  it('is what the reference describes: every field, and every column in its order', () => {
    for (const [name, { description }] of Object.entries(
      schema.properties as Record<string, { description: string }>,
    )) {
      expect(formats).toContain(`| \`${name}\` | ${description} |`);
    }
    const csv = formats.slice(formats.indexOf('## CSV'), formats.indexOf('## OCSF'));
    expect([...csv.matchAll(/^\| \d+ \| `(\w+)` \|/gm)].map(([, column]) => column)).toEqual(CSV_COLUMNS);
  });
});
