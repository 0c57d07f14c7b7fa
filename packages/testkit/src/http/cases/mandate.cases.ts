import assert from 'node:assert/strict';
import type { Claims } from '../../issuer.js';
import type { CaseRequest, HttpCase } from '../case.js';
import { type MintWrong, WRONG_CLAIMS, WRONG_HEADERS, WRONG_TEXTS } from '../wrong-mandates.js';

function wrong(section: string, [what, mint]: readonly [string, MintWrong]): HttpCase {
  return {
    name: `refuses a mandate with ${what}`,
    section,
    run: async (t) => {
      const mandate = t.secret(await mint(t.issuers.main, { target: ['resource://echo'] }));
      await t.refused(await t.send({ mandate }), { error: 'invalid_token' });
    },
  };
}

/** No bearer mandate where it belongs; whatever else is in the request. */
const MISSING: readonly (readonly [what: string, request: CaseRequest])[] = [
  ['no Authorization', {}],
  ['an empty Authorization', { headers: [['Authorization', '']] }],
  ['the scheme alone', { headers: [['Authorization', 'Bearer']] }],
  ['basic credentials', { headers: [['Authorization', 'Basic YTpi']] }],
  ['a DPoP token', { headers: [['Authorization', 'DPoP abc.def.ghi']] }],
];

type Accepted = readonly [what: string, claims: (now: number) => Claims, header?: Claims];

const ACCEPTED: readonly Accepted[] = [
  ['typ JWT', () => ({}), { typ: 'JWT' }],
  ['typ application/at+jwt', () => ({}), { typ: 'application/at+jwt' }],
  ['typ in upper case', () => ({}), { typ: 'AT+JWT' }],
  ['nbf within 60 s', (now) => ({ nbf: now + 30 })],
  ['iat within 60 s', (now) => ({ iat: now + 30 })],
  ['claims it does not know', () => ({ something: { else: [1, 2] }, __proto__x: 1 })],
  ['no scope', () => ({ scope: undefined })],
  ['an identifier of 512 characters', () => ({ sub: 's'.repeat(512) })],
  ['an identifier beyond ASCII', () => ({ sub: 'J\u00fcrgen \u{1F600}' })],
  ['sub_type application', () => ({ sub_type: 'application' })],
  ['several targets', () => ({ target: ['resource://root', 'resource://echo'] })],
  ['use resource and the resource as audience', () => ({ use: 'resource', aud: 'resource://echo', target: undefined })],
  ['a life of 24 hours', (now) => ({ iat: now, exp: now + 24 * 60 * 60 })],
  [
    'header members that would name another key',
    () => ({}),
    { jku: 'http://127.0.0.1:1/', x5u: 'http://127.0.0.1:1/', x5c: ['AA=='] },
  ],
];

/** Rows 3 and 4: is there a mandate, and is it good. */
export const mandateCases: readonly HttpCase[] = [
  ...MISSING.map(
    ([what, request]): HttpCase => ({
      name: `asks for a mandate where there is ${what}`,
      section: '2.3',
      run: async (t) => {
        await t.refused(await t.send({ ...request, mandate: null }), { error: 'missing_token' });
      },
    }),
  ),
  {
    name: 'looks for a mandate neither in the query, nor in a form, nor in a cookie',
    section: '1',
    run: async (t) => {
      const mandate = await t.mandate({ target: ['resource://echo'] });
      const response = await t.send({
        method: 'POST',
        target: `/a?access_token=${mandate}`,
        mandate: null,
        headers: [
          ['Cookie', `access_token=${mandate}`],
          ['Content-Type', 'application/x-www-form-urlencoded'],
        ],
        body: `access_token=${mandate}`,
      });
      await t.refused(response, { error: 'missing_token' });
    },
  },
  ...[
    ['in lower case', 'bearer '],
    ['in upper case', 'BEARER '],
    ['with several blanks', 'Bearer    '],
  ].map(
    ([what, scheme]): HttpCase => ({
      name: `takes the scheme ${what}`,
      section: '1',
      run: async (t) => {
        const mandate = await t.mandate({ target: ['resource://echo'] });
        await t.allowed(await t.send({ mandate: null, headers: [['Authorization', `${scheme}${mandate}`]] }));
      },
    }),
  ),
  ...['a b', 'a,b', '"quoted"', 'a, Bearer b', 'b\xe4rer', '....', 'not-a-jwt', '{"payload":"e30"}'].map(
    (token): HttpCase => ({
      name: `refuses ${token} as a mandate`,
      section: '2.4',
      run: async (t) => {
        const response = await t.send({ mandate: token });
        // What is no b64token at all may count as no bearer credentials.
        const error = response.body.includes('missing_token') ? 'missing_token' : 'invalid_token';
        await t.refused(response, { error });
      },
    }),
  ),
  ...WRONG_TEXTS.map((row) => wrong('3', row)),
  ...WRONG_HEADERS.map((row) => wrong('3', row)),
  ...WRONG_CLAIMS.map((row) => wrong('3', row)),
  ...(['forger', 'stranger'] as const).map(
    (issuer): HttpCase => ({
      name: `refuses a mandate that a ${issuer} has signed`,
      section: '3',
      run: async (t) => {
        await t.refused(await t.send({ issuer }), { error: 'invalid_token' });
      },
    }),
  ),
  {
    name: 'refuses an algorithm that was not allowed for this issuer, although its key could do it',
    section: '3',
    run: async (t) => {
      const mandate = await t.mandate({ target: ['resource://echo'] }, { alg: 'PS256' }, 'rs256');
      await t.refused(await t.send({ mandate }), { error: 'invalid_token' });
    },
  },
  {
    name: 'refuses typ JWT for profile rfc9068',
    section: '3',
    run: async (t) => {
      const mandate = await t.mandate({ aud: 'resource://echo' }, { typ: 'JWT' }, 'rfc9068');
      await t.refused(await t.send({ mandate }), { error: 'invalid_token' });
    },
  },
  ...['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id'].map(
    (claim): HttpCase => ({
      name: `refuses a mandate of profile rfc9068 with no ${claim}`,
      section: '3',
      run: async (t) => {
        await t.refused(await t.send({ issuer: 'rfc9068', claims: { [claim]: undefined } }), {
          error: 'invalid_token',
        });
      },
    }),
  ),
  ...(['eddsa', 'rs256', 'rfc9068'] as const).map(
    (issuer): HttpCase => ({
      name: `takes a mandate of the issuer ${issuer}`,
      section: '3',
      run: async (t) => {
        const { authorized } = await t.allowed(await t.send({ issuer }));
        assert.equal(authorized.issuer, t.issuers[issuer].issuer);
      },
    }),
  ),
  ...ACCEPTED.map(
    ([what, claims, header]): HttpCase => ({
      name: `takes a mandate with ${what}`,
      section: '3',
      run: async (t) => {
        const now = Math.floor(Date.now() / 1000);
        const mandate = await t.mandate({ target: ['resource://echo'], ...claims(now) }, header);
        await t.allowed(await t.send({ mandate }));
      },
    }),
  ),
  {
    name: 'judges a mandate again after it was accepted: it may be used many times until it expires',
    section: '3',
    run: async (t) => {
      const mandate = await t.mandate({ target: ['resource://echo'] });
      for (let count = 0; count < 3; count += 1) {
        const response = await t.send({ mandate });
        assert.equal(response.status, 200);
      }
    },
  },
  {
    name: 'refuses a mandate without saying which of its parts was wrong',
    section: '2.refusal',
    run: async (t) => {
      const bodies: string[] = [];
      for (const claims of [{ exp: 1 }, { zone_id: 'elsewhere' }, { sub: 7 }]) {
        const response = await t.send({ claims });
        await t.refused(response, { error: 'invalid_token' });
        bodies.push((JSON.parse(response.body.toString()) as { error_description: string }).error_description);
      }
      assert.equal(new Set(bodies).size, 1);
    },
  },
];
