import assert from 'node:assert/strict';
import type { CaseRequest, HttpCase } from '../case.js';

type Row = readonly [what: string, request: CaseRequest, target: string];

const MOUNTED: readonly Row[] = [
  ['a path below its mount', { target: '/mnt/a?b' }, '/inside/a?b'],
  ['a longer mount before a shorter one', { target: '/mnt/deep/a' }, '/deep/a'],
  ['a path that only begins like the longer mount', { target: '/mnt/deeper' }, '/inside/deeper'],
  ['a path below its mount, byte for byte', { target: '/mnt/a%2Fb//c' }, '/inside/a%2Fb//c'],
  ['a mount and a header that agree', { target: '/mnt/a', resource: 'resource://mounted' }, '/inside/a'],
  ['its host', { target: '/a', host: 'mounted.test' }, '/hosted/a'],
  ['its host in another case and with a port', { target: '/a', host: 'Mounted.Test:8081' }, '/hosted/a'],
];

/** Section 1: resources without a header. */
export const mountCases: readonly HttpCase[] = [
  ...MOUNTED.map(
    ([what, request, target]): HttpCase => ({
      name: `finds a resource by ${what}`,
      section: '1',
      run: async (t) => {
        const reach = ['resource://mounted', 'resource://mounted-deep', 'resource://mounted-host'];
        const mandate = await t.mandate({ target: reach });
        await t.allowed(await t.send({ mandate, resource: null, ...request }));
        assert.equal(t.received().target, target);
      },
    }),
  ),
  {
    name: 'finds a resource by its mount alone, with a query behind it',
    section: '1',
    run: async (t) => {
      await t.allowed(await t.send({ target: '/mnt?a', resource: null, claims: { target: ['resource://mounted'] } }));
      assert.match(t.received().target, /^\/inside\/?\?a$/);
    },
  },
  ...(
    [
      ['a mount and a header that disagree', { target: '/mnt/a', resource: 'resource://echo' }, 'invalid_request'],
      ['a path that only begins like a mount', { target: '/mntx/a', resource: null }, 'invalid_request'],
      ['a mount with an escape more', { target: '/%6dnt/a', resource: null }, 'invalid_request'],
      ['a mount in another case', { target: '/MNT/a', resource: null }, 'invalid_request'],
      [
        'a mounted resource the mandate does not target',
        { target: '/mnt/a', resource: null, claims: { target: ['resource://echo'] } },
        'resource_not_permitted',
      ],
    ] as const
  ).map(
    ([what, request, error]): HttpCase => ({
      name: `refuses ${what}`,
      section: '2.7',
      run: async (t) => {
        const claims = { target: ['resource://mounted', 'resource://echo'] };
        await t.refused(await t.send({ claims, ...request }), { error });
      },
    }),
  ),
];
