import assert from 'node:assert/strict';
import type { AnchorKind } from '@caracal/core';
import type { HttpCase } from '../case.js';
import { delegated } from '../delegated.js';
import { headerValue } from '../message.js';

const ANCHORS: readonly (readonly [AnchorKind, (claims: Record<string, unknown>) => unknown, of?: string])[] = [
  ['sid', (claims) => claims.sid],
  ['root_sid', (claims) => claims.root_sid],
  ['agent_session_id', (claims) => claims.agent_session_id],
  ['delegation_edge_id', (claims) => (claims.delegation_path as string[])[0]],
  ['jti', (claims) => claims.jti],
  ['client_id', (claims) => claims.client_id],
  ['sub', (claims) => claims.sub],
  ['client_id', (claims) => firstLink(claims).application_id, ' of who delegated first'],
  ['agent_session_id', (claims) => firstLink(claims).agent_session_id, ' of who delegated first'],
];

function firstLink({ delegation_chain: chain }: Record<string, unknown>): Record<string, unknown> {
  return (chain as Record<string, unknown>[])[0]!;
}

/** Claims of which nothing is shared with any other case. */
function ownClaims(): Record<string, unknown> {
  const own = () => crypto.randomUUID();
  return {
    ...delegated(own(), own()),
    sid: own(),
    root_sid: own(),
    jti: own(),
    client_id: own(),
    sub: own(),
    target: ['resource://echo'],
  };
}

/** Rows 6 and 17: mandates that were good once. */
export const revocationCases: readonly HttpCase[] = [
  ...ANCHORS.map(
    ([kind, idOf, of = '']): HttpCase => ({
      name: `refuses a mandate once its ${kind}${of} was revoked`,
      section: '2.6',
      run: async (t) => {
        const claims = ownClaims();
        const mandate = await t.mandate(claims);
        assert.equal((await t.send({ mandate })).status, 200);
        const { issuer, zoneId } = t.issuers.main;
        await t.subject.revoke({ issuer, zoneId, kind, id: String(idOf(claims)) });
        const sentBefore = t.upstream.requests(t.tag).length;
        const response = await t.send({ mandate });
        assert.equal(headerValue(response.headers, 'x-caracal-error'), 'session_revoked');
        assert.equal(response.status, 401);
        assert.match(headerValue(response.headers, 'www-authenticate') ?? '', /error="invalid_token"/);
        assert.equal(t.upstream.requests(t.tag).length, sentBefore);
        const [record] = await t.records(response);
        assert.equal(record?.error, 'session_revoked');
      },
    }),
  ),
  ...(
    [
      ['in another zone', { zoneId: 'elsewhere' }],
      ['of another issuer', { issuer: 'https://eddsa.test' }],
      ['of another kind', { kind: 'jti' }],
    ] as const
  ).map(
    ([what, other]): HttpCase => ({
      name: `leaves a mandate alone where an equal name was revoked ${what}`,
      section: '3',
      run: async (t) => {
        const claims = ownClaims();
        const { issuer, zoneId } = t.issuers.main;
        await t.subject.revoke({ issuer, zoneId, kind: 'sid', id: String(claims.sid), ...other });
        await t.allowed(await t.send({ claims }));
      },
    }),
  ),
  {
    name: 'takes a single-use mandate once',
    section: '2.17',
    run: async (t) => {
      const mandate = await t.mandate({ target: ['resource://once'], scope: 'once' });
      await t.allowed(await t.send({ mandate, resource: 'resource://once' }));
      const again = await t.send({ mandate, resource: 'resource://once' });
      assert.equal(again.status, 401);
      assert.equal(headerValue(again.headers, 'x-caracal-error'), 'token_replayed');
      assert.match(headerValue(again.headers, 'www-authenticate') ?? '', /error="invalid_token"/);
      assert.equal(t.upstream.requests(t.tag).length, 1);
      const [record] = await t.records(again);
      assert.equal(record?.error, 'token_replayed');
    },
  },
  {
    name: 'takes a jti once where its mandate is signed anew',
    section: '2.17',
    run: async (t) => {
      const claims = t.issuers.main.claims({ target: ['resource://once'], scope: 'once' });
      const first = await t.send({ mandate: await t.mandate(claims), resource: 'resource://once' });
      const second = await t.send({ mandate: await t.mandate(claims), resource: 'resource://once' });
      assert.deepEqual([first.status, second.status], [200, 401]);
      assert.equal(t.upstream.requests(t.tag).length, 1);
    },
  },
  {
    name: 'takes a single-use mandate once where it arrives many times at once',
    section: '2.17',
    run: async (t) => {
      const mandate = await t.mandate({ target: ['resource://once'], scope: 'once' });
      const all = await Promise.all(Array.from({ length: 8 }, () => t.send({ mandate, resource: 'resource://once' })));
      assert.equal(all.filter(({ status }) => status === 200).length, 1);
      assert.equal(all.filter(({ status }) => status === 401).length, 7);
      assert.equal(t.upstream.requests(t.tag).length, 1);
    },
  },
  {
    name: 'does not spend a single-use mandate on a request it refuses',
    section: '2',
    run: async (t) => {
      const mandate = await t.mandate({ target: ['resource://once', 'resource://small'], scope: 'once' });
      await t.refused(await t.send({ mandate, target: '/../a', resource: 'resource://once' }), {
        error: 'invalid_request',
        evidence: 'unauthenticated',
      });
      await t.refused(await t.send({ mandate, resource: 'resource://nowhere' }), { error: 'resource_not_permitted' });
      await t.allowed(await t.send({ mandate, resource: 'resource://once' }));
    },
  },
];
