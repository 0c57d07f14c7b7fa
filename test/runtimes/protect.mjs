// `protect` of every runtime against `protect` on Node: the same verdict and the same records, and the principal in the handler's hands.
import assert from 'node:assert/strict';
import { childSubject, createTestIssuer, headerValue, RawConnection, requestBytes } from '@caracal/testkit';
import { withoutChance } from './comparison.mjs';
import { RUNTIMES, subjectCommand } from './runtimes.mjs';

const RESOURCE = 'resource://notes';
const CLAIMS = { sid: 'sid-1', root_sid: 'root-1', jti: 'jti-1', sub: 'ada', target: [RESOURCE], scope: 'notes:read' };
const named = (resource) => [['X-Caracal-Resource', resource]];

/** What is sent; `claims: null` is no mandate. */
const PROBES = [
  { name: 'GET', target: '/notes/a%2Fb?secret=1' },
  { name: 'HEAD', method: 'HEAD', target: '/notes/1' },
  { name: 'POST with a length', method: 'POST', target: '/notes', body: 'hello' },
  { name: 'POST in chunks', method: 'POST', target: '/notes', chunks: ['one', 'two'] },
  { name: 'the resource by its name', target: '/notes/1', headers: named(RESOURCE) },
  { name: 'another resource by its name', target: '/notes/1', headers: named('resource://other') },
  { name: 'no mandate', target: '/notes/1', claims: null },
  { name: 'a mandate for another', target: '/notes/1', claims: { target: ['resource://other'] } },
  { name: 'a mandate that has expired', target: '/notes/1', claims: { exp: 1_000_000_000, iat: 999_999_999 } },
  { name: 'a scope that is missing', target: '/notes/1', claims: { scope: '' } },
  { name: 'an operation that is not declared', target: '/other' },
  { name: 'a client id', target: '/notes/1', headers: [['X-Caracal-Client-Id', 'me']] },
  { name: 'a body that is too large', method: 'POST', target: '/notes', body: 'x'.repeat(1001) },
];

const SERVICES = [
  { name: 'node-20', service: 'protect-node' },
  { name: 'deno', service: 'protect-deno' },
  { name: 'deno-serve', service: 'protect-deno-serve' },
  { name: 'bun', service: 'protect-bun' },
];

let reference;
for (const { name, service } of SERVICES) {
  const startedAt = performance.now();
  const runtime = { ...RUNTIMES.find((each) => each.name === name), adapter: service };
  let verdict = 'ok';
  try {
    const seen = await observations(await subjectCommand(runtime));
    reference ??= seen;
    for (const [probe, observation] of Object.entries(reference)) assert.deepEqual(seen[probe], observation, probe);
  } catch (error) {
    console.error(`${service}: ${error?.stack ?? error}\n`);
    verdict = 'FAILED';
    process.exitCode = 1;
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${service}: ${verdict}, ${PROBES.length} requests compared with protect on Node (${seconds} s)`);
}

async function observations(command) {
  const issuer = await createTestIssuer();
  const subject = await childSubject(command, {
    issuers: [{ issuer: issuer.issuer, zone: issuer.zoneId, profile: issuer.profile, jwks: issuer.jwks() }],
    resources: [
      {
        identifier: RESOURCE,
        scopes: ['notes:read'],
        operations: [
          { method: 'GET', path: '/notes/**', scopes: ['notes:read'] },
          { method: 'POST', path: '/notes', scopes: ['notes:read'] },
        ],
        maxBodyBytes: 1_000,
        provider: { id: 'provider://none', kind: 'none' },
      },
      { identifier: 'resource://other', provider: { id: 'provider://none', kind: 'none' } },
    ],
    durability: 'written',
  });
  try {
    const seen = {};
    for (const { name, claims = {}, ...parts } of PROBES) {
      const mandate = claims === null ? null : await issuer.mint({ ...CLAIMS, ...claims });
      seen[name] = await observe(subject, { ...parts, mandate });
      if (mandate !== null) assert.ok(!subject.output().includes(mandate), 'the mandate was printed');
    }
    // What the comparison itself rests on: the handler runs where the request is admitted, and knows who was.
    assert.deepEqual(JSON.parse(seen.GET.body), { subject: 'ada', sessionId: 'sid-1', bytes: 0 });
    assert.deepEqual(
      seen.GET.records.map(({ type }) => type),
      ['request.authorized', 'request.completed'],
    );
    assert.equal(seen['no mandate'].error, 'missing_token');
    return seen;
  } finally {
    await subject.close();
  }
}

async function observe(subject, parts) {
  const connection = await RawConnection.open(subject.port);
  try {
    void connection.send(requestBytes(parts));
    const response = await connection.response(parts.method);
    const requestId = headerValue(response.headers, 'x-caracal-request-id');
    return {
      status: response.status,
      error: headerValue(response.headers, 'x-caracal-error'),
      body: response.body.toString().replaceAll(requestId, '<id>'),
      records: (await subject.records(requestId)).map((record) => withoutChance(record, {})),
    };
  } finally {
    connection.destroy();
  }
}
