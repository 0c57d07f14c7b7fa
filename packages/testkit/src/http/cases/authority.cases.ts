import assert from 'node:assert/strict';
import type { CaseRequest, ExpectedRefusal, HttpCase } from '../case.js';
import { delegated } from '../delegated.js';
import { headerValue } from '../message.js';

type Row = readonly [what: string, request: CaseRequest, expected: ExpectedRefusal];

function billing(method: string, target: string, scope = 'billing:read'): CaseRequest {
  return { method, target, resource: 'resource://billing', claims: { scope } };
}

const RESOURCES: readonly Row[] = [
  ['a request that names no resource', { resource: null }, { error: 'invalid_request', status: 400 }],
  ['a resource that does not exist', { resource: 'resource://nowhere' }, { error: 'resource_not_permitted' }],
  [
    'a resource the mandate does not target',
    { claims: { target: ['resource://root'] } },
    { error: 'resource_not_permitted' },
  ],
  ['a resource that differs in case', { resource: 'resource://Echo' }, { error: 'resource_not_permitted' }],
  [
    'a resource that the target is but the beginning of',
    { claims: { target: ['resource://ech'] } },
    { error: 'resource_not_permitted' },
  ],
  ['a resource of another zone', { resource: 'resource://elsewhere' }, { error: 'resource_not_permitted' }],
  [
    'a resource to a mandate of use resource for another one',
    { claims: { use: 'resource', aud: 'resource://root', target: undefined } },
    { error: 'resource_not_permitted' },
  ],
  [
    'a resource to a token of profile rfc9068 for another one',
    { issuer: 'rfc9068', claims: { aud: 'resource://root' } },
    { error: 'resource_not_permitted' },
  ],
];

const OPERATIONS: readonly Row[] = (
  [
    ['a path that is not declared', 'GET', '/v1/customers'],
    ['a method that is not declared for this path', 'PUT', '/v1/invoices/1'],
    ['a path in another case', 'GET', '/V1/invoices/1'],
    ['a segment more than declared', 'GET', '/v1/invoices/1/2'],
    ['a parameter with an encoded slash', 'GET', '/v1/invoices/a%2Fb'],
    ['a parameter with an encoded backslash', 'GET', '/v1/invoices/a%5Cb'],
    ['a parameter with a semicolon', 'GET', '/v1/invoices/a;b'],
    ['an empty segment at the beginning', 'GET', '//v1/invoices/1'],
    ['an empty segment in the middle', 'GET', '/v1//invoices/1'],
    ['an empty segment within what a wildcard would match', 'GET', '/v1/files//a'],
    ['the base path again', 'GET', '/base/v1/invoices/1'],
  ] as const
).map(
  ([what, method, target]): Row => [
    what,
    billing(method, target, 'billing:read billing:submit'),
    { error: 'operation_not_permitted' },
  ],
);

const SCOPES: readonly Row[] = [
  [
    'an operation without its scope',
    billing('POST', '/v1/invoices'),
    { error: 'insufficient_scope', scope: 'billing:submit' },
  ],
  [
    'an operation without any scope',
    billing('GET', '/v1/invoices/1', ''),
    { error: 'insufficient_scope', scope: 'billing:read' },
  ],
  [
    'a literal with the scope of the parameter',
    billing('GET', '/v1/invoices/latest'),
    { error: 'insufficient_scope', scope: 'billing:submit' },
  ],
  [
    'a scope that only begins alike',
    billing('GET', '/v1/invoices/1', 'billing:read2'),
    { error: 'insufficient_scope', scope: 'billing:read' },
  ],
  [
    'a scope that is but the beginning',
    billing('GET', '/v1/invoices/1', 'billing'),
    { error: 'insufficient_scope', scope: 'billing:read' },
  ],
  [
    'a scope in another case',
    billing('GET', '/v1/invoices/1', 'Billing:Read'),
    { error: 'insufficient_scope', scope: 'billing:read' },
  ],
  [
    'one of two scopes of an operation',
    billing('DELETE', '/v1/all'),
    { error: 'insufficient_scope', scope: 'billing:read billing:submit' },
  ],
  [
    'one of two scopes of a resource without operations',
    { resource: 'resource://scoped', claims: { scope: 'a' } },
    { error: 'insufficient_scope', scope: 'a b' },
  ],
  [
    'a path beside the operations with the scopes of one of them',
    { target: '/other', resource: 'resource://lenient', claims: { scope: 'billing:read' } },
    { error: 'insufficient_scope', scope: 'billing:read billing:submit' },
  ],
];

const REQUIREMENTS: readonly Row[] = [
  ['a mandate without a session', { resource: 'resource://session', issuer: 'rfc9068' }, { error: 'session_required' }],
  ['a mandate that was not delegated', { resource: 'resource://delegation' }, { error: 'delegation_required' }],
  [
    'two hops where one is allowed',
    { resource: 'resource://one-hop', claims: delegated('a', 'b') },
    { error: 'hop_count_exceeded' },
  ],
  [
    'a chain in another order',
    { resource: 'resource://chain', claims: delegated('worker', 'planner') },
    { error: 'chain_mismatch' },
  ],
  [
    'a chain without one of the applications',
    { resource: 'resource://chain', claims: delegated('planner', 'a') },
    { error: 'chain_mismatch' },
  ],
];

type Permitted = readonly [what: string, request: CaseRequest, template?: string];

const PERMITTED: readonly Permitted[] = [
  ['a declared operation', billing('GET', '/v1/invoices/1'), '/v1/invoices/{id}'],
  ['a literal before a parameter', billing('GET', '/v1/invoices/latest', 'billing:submit'), '/v1/invoices/latest'],
  ['HEAD by the operation of GET', billing('HEAD', '/v1/invoices/1'), '/v1/invoices/{id}'],
  ['an encoded slash below a wildcard', billing('GET', '/v1/files/a%2Fb'), '/v1/files/**'],
  ['several segments below a wildcard', billing('GET', '/v1/files/a/b/c'), '/v1/files/**'],
  ['a needless escape in a literal', billing('GET', '/v1/%69nvoices/1'), '/v1/invoices/{id}'],
  ['scopes in another order', billing('DELETE', '/v1/all', 'x billing:submit billing:read'), '/v1/all'],
  ['a query that looks like another path', billing('GET', '/v1/invoices/1?/../../admin'), '/v1/invoices/{id}'],
  [
    'a path beside the operations with all scopes',
    { target: '/other', resource: 'resource://lenient', claims: { scope: 'billing:read billing:submit' } },
  ],
  ['a session', { resource: 'resource://session', claims: { agent_session_id: 'agent-session' } }],
  ['a delegation', { resource: 'resource://delegation', claims: delegated('a') }],
  ['one hop where one is allowed', { resource: 'resource://one-hop', claims: delegated('a') }],
  [
    'a chain with others in between',
    { resource: 'resource://chain', claims: delegated('a', 'planner', 'b', 'worker') },
  ],
];

/** Rows 7 to 12: what this mandate may do. */
export const authorityCases: readonly HttpCase[] = [
  ...[
    ...RESOURCES.map((row) => ['2.7', row] as const),
    ...OPERATIONS.map((row) => ['2.9', row] as const),
    ...SCOPES.map((row) => ['2.10', row] as const),
    ...REQUIREMENTS.map((row) => ['2.11', row] as const),
  ].map(
    ([section, [what, request, expected]]): HttpCase => ({
      name: `refuses ${what}`,
      section,
      run: async (t) => {
        const record = await t.refused(await t.send(request), expected);
        assert.ok(record.applicationId, 'the record says who asked');
      },
    }),
  ),
  ...PERMITTED.map(
    ([what, request, template]): HttpCase => ({
      name: `permits ${what}`,
      section: '4',
      run: async (t) => {
        const { authorized } = await t.allowed(await t.send(request));
        if (template !== undefined) assert.equal(authorized.operation?.template, template);
      },
    }),
  ),
  {
    name: 'answers alike for a resource that does not exist and one that is not permitted',
    section: '2',
    run: async (t) => {
      const unknown = await t.send({ resource: 'resource://nowhere' });
      const notPermitted = await t.send({ claims: { target: ['resource://root'] } });
      const shape = (body: Buffer) => ({ ...(JSON.parse(body.toString()) as object), requestId: '' });
      assert.deepEqual(shape(unknown.body), shape(notPermitted.body));
      assert.equal(unknown.status, notPermitted.status);
      const [first, second] = [await t.records(unknown), await t.records(notPermitted)];
      assert.notEqual(first[0]?.reason, second[0]?.reason, 'the record tells which');
    },
  },
  {
    name: 'refuses what exceeds the rate limit of an application, and says when to come back',
    section: '2.12',
    run: async (t) => {
      const request: CaseRequest = { resource: 'resource://rated', claims: { client_id: crypto.randomUUID() } };
      const statuses: number[] = [];
      for (let count = 0; count < 2; count += 1) statuses.push((await t.send(request)).status);
      const third = await t.send(request);
      assert.deepEqual([...statuses, third.status], [200, 200, 429]);
      assert.equal(headerValue(third.headers, 'x-caracal-error'), 'rate_limited');
      const seconds = Number(headerValue(third.headers, 'retry-after'));
      assert.ok(Number.isInteger(seconds) && seconds >= 1 && seconds <= 61);
      assert.equal(t.upstream.requests(t.tag).length, 2);
      const other = await t.send({ ...request, claims: { client_id: crypto.randomUUID() } });
      assert.equal(other.status, 200, 'another application is counted apart');
    },
  },
  {
    name: 'judges the mandate before the resource',
    section: '2',
    run: async (t) => {
      const response = await t.send({ resource: 'resource://nowhere', claims: { exp: 1 } });
      await t.refused(response, { error: 'invalid_token' });
    },
  },
  {
    name: 'judges the operation before its scopes',
    section: '2',
    run: async (t) => {
      await t.refused(await t.send(billing('PUT', '/v1/nothing', '')), { error: 'operation_not_permitted' });
    },
  },
  {
    name: 'refuses an upgrade where the resource allows none',
    section: '2.8',
    run: async (t) => {
      const response = await t.send({
        headers: [
          ['Connection', 'Upgrade'],
          ['Upgrade', 'websocket'],
          ['Sec-WebSocket-Version', '13'],
          ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
        ],
      });
      await t.refused(response, { error: 'upgrade_not_permitted' });
    },
  },
  {
    name: 'gives a refusal of HEAD no body',
    section: '2.refusal',
    run: async (t) => {
      await t.refused(await t.send({ method: 'HEAD', mandate: null }), { error: 'missing_token' });
    },
  },
  {
    name: 'refuses without waiting for the body',
    section: '2.refusal',
    run: async (t) => {
      const connection = await t.connect();
      const head = await t.request({ method: 'POST', mandate: null, headers: [['Content-Length', '1000000']] });
      void connection.send(head);
      const response = await connection.response('POST');
      await t.refused(response, { error: 'missing_token' });
    },
  },
];
