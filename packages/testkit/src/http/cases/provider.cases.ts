import assert from 'node:assert/strict';
import type { HttpCase } from '../case.js';
import { type HeaderField, headerValue, headerValues } from '../message.js';
import { CREDENTIALS } from '../world.js';

type Row = readonly [kind: string, resource: string, header: string, value: string];

const IN_HEADER: readonly Row[] = [
  ['an API key', 'key-header', 'X-Api-Key', CREDENTIALS.header],
  ['an API key with a scheme', 'key-scheme', 'X-Auth', `Token ${CREDENTIALS.scheme}`],
  ['a bearer token', 'bearer', 'Authorization', `Bearer ${CREDENTIALS.bearer}`],
  ['a bearer token in a header of its own', 'bearer-header', 'X-Token', `Key ${CREDENTIALS.bearerHeader}`],
  [
    'a name and a password',
    'basic',
    'Authorization',
    `Basic ${Buffer.from(`caracal:${CREDENTIALS.basic}`, 'utf8').toString('base64')}`,
  ],
];

const QUERIES: readonly (readonly [what: string, sent: string, kept: string])[] = [
  ['no query', '/a', '/a?'],
  ['a query', '/a?x=1&y', '/a?x=1&y&'],
  ['a parameter of that name', '/a?api_key=evil', '/a?'],
  ['several parameters of that name', '/a?x=1&api_key=evil&y=2&api_key', '/a?x=1&y=2&'],
  ['a parameter whose name decodes to it', '/a?x=1&api%5Fkey=evil&%61pi_key=evil', '/a?x=1&'],
  ['a parameter of a similar name', '/a?xapi_key=1&api_key2=2&API_KEY=3', '/a?xapi_key=1&api_key2=2&API_KEY=3&'],
];

/** Section 6: how a credential gets to the upstream, and only there. */
export const providerCases: readonly HttpCase[] = [
  {
    name: 'attaches nothing where the upstream needs nothing',
    section: '6',
    run: async (t) => {
      const { authorized } = await t.allowed(await t.send());
      assert.equal(headerValue(t.received().headers, 'authorization'), undefined);
      assert.equal(authorized.provider?.kind, 'none');
    },
  },
  ...IN_HEADER.flatMap(([kind, resource, header, value]): HttpCase[] => [
    {
      name: `attaches ${kind}`,
      section: '6',
      run: async (t) => {
        const { authorized } = await t.allowed(await t.send({ resource: `resource://${resource}` }));
        assert.deepEqual(headerValues(t.received().headers, header), [value]);
        assert.equal(authorized.provider?.id, `provider://${resource}`);
      },
    },
    {
      name: `attaches ${kind} in place of whatever the caller sent there`,
      section: '6',
      run: async (t) => {
        // The caller's Authorization is its mandate; a second one is refused.
        const folded = header.replaceAll('-', '_');
        const own: HeaderField[] =
          header === 'Authorization'
            ? []
            : [
                [header, 'evil'],
                [header.toLowerCase(), 'evil'],
              ];
        if (folded !== header) own.push([folded, 'evil']);
        await t.allowed(await t.send({ resource: `resource://${resource}`, headers: own }));
        const { headers } = t.received();
        assert.deepEqual(headerValues(headers, header), [value]);
        assert.ok(!headers.some(([, other]) => other === 'evil'));
      },
    },
    {
      name: `attaches ${kind} although Connection names its header`,
      section: '6',
      run: async (t) => {
        await t.allowed(await t.send({ resource: `resource://${resource}`, headers: [['Connection', header]] }));
        assert.deepEqual(headerValues(t.received().headers, header), [value]);
      },
    },
  ]),
  ...QUERIES.map(
    ([what, sent, kept]): HttpCase => ({
      name: `attaches a key to a target with ${what}`,
      section: '6',
      run: async (t) => {
        await t.allowed(await t.send({ target: sent, resource: 'resource://key-query' }));
        const { target } = t.received();
        const [parameter = '', ...others] = target.slice(kept.length).split('&');
        assert.ok(target.startsWith(kept), target.replace(parameter, ''));
        assert.equal(others.length, 0);
        const [name, value = ''] = parameter.split('=');
        assert.equal(name, 'api_key');
        assert.equal(decodeURIComponent(value.replaceAll('+', ' ')), CREDENTIALS.query);
      },
    }),
  ),
  {
    name: 'passes on a mandate whose audience is the resource',
    section: '6',
    run: async (t) => {
      const mandate = await t.mandate({ use: 'resource', aud: 'resource://mandate', target: undefined });
      await t.allowed(await t.send({ mandate, resource: 'resource://mandate' }));
      assert.deepEqual(headerValues(t.received().headers, 'authorization'), [`Bearer ${mandate}`]);
    },
  },
  {
    name: 'passes on no mandate whose audience is the gateway',
    section: '6',
    run: async (t) => {
      const response = await t.send({ resource: 'resource://mandate' });
      await t.refused(response, { error: 'credential_unavailable' });
    },
  },
  {
    name: 'gives the credential of a resource to that resource alone',
    section: '6',
    run: async (t) => {
      await t.allowed(await t.send({ resource: 'resource://key-header' }));
      await t.allowed(await t.send({ resource: 'resource://root' }));
      const [, second] = t.upstream.requests(t.tag);
      assert.equal(headerValue(second!.headers, 'x-api-key'), undefined);
    },
  },
];
