import assert from 'node:assert/strict';
import { answer } from '../answers.js';
import type { CaseRequest, HttpCase } from '../case.js';
import { headerValue, headerValues } from '../message.js';
import { CORS_ORIGIN } from '../world.js';

function preflight(origin: string): CaseRequest {
  return {
    method: 'OPTIONS',
    target: '/a',
    mandate: null,
    resource: null,
    headers: [
      ['Origin', origin],
      ['Access-Control-Request-Method', 'PUT'],
      ['Access-Control-Request-Headers', 'authorization,x-caracal-resource'],
    ],
  };
}

/** Section 5: browsers. */
export const corsCases: readonly HttpCase[] = [
  {
    name: 'answers a preflight of an allowed origin itself, without a mandate',
    section: '5',
    run: async (t) => {
      const response = await t.send(preflight(CORS_ORIGIN));
      assert.ok(response.status === 204 || response.status === 200, String(response.status));
      assert.deepEqual(headerValues(response.headers, 'access-control-allow-origin'), [CORS_ORIGIN]);
      assert.match(headerValues(response.headers, 'access-control-allow-methods').join(), /\bPUT\b/);
      const allowed = headerValues(response.headers, 'access-control-allow-headers').join().toLowerCase();
      for (const name of ['authorization', 'x-caracal-resource']) assert.ok(allowed.includes(name), name);
      t.nothingReceived();
    },
  },
  ...['https://evil.test', 'null', `${CORS_ORIGIN}.evil.test`, 'http://app.test', `${CORS_ORIGIN}:8443`].map(
    (origin): HttpCase => ({
      name: `allows a preflight of ${origin} nothing`,
      section: '5',
      run: async (t) => {
        const response = await t.send(preflight(origin));
        assert.deepEqual(headerValues(response.headers, 'access-control-allow-origin'), []);
        t.nothingReceived();
      },
    }),
  ),
  {
    name: 'allows no origin anything where none is configured',
    section: '5',
    variant: 'bare',
    run: async (t) => {
      const response = await t.send(preflight(CORS_ORIGIN));
      assert.deepEqual(headerValues(response.headers, 'access-control-allow-origin'), []);
      t.nothingReceived();
    },
  },
  {
    name: 'lets an allowed origin read the answer, whatever the upstream says',
    section: '5',
    run: async (t) => {
      t.answer(answer(200, [['Access-Control-Allow-Origin', '*']]));
      const response = await t.send({ headers: [['Origin', CORS_ORIGIN]] });
      await t.allowed(response);
      assert.deepEqual(headerValues(response.headers, 'access-control-allow-origin'), [CORS_ORIGIN]);
      assert.match(headerValues(response.headers, 'vary').join().toLowerCase(), /origin/);
    },
  },
  {
    name: 'lets no other origin read the answer, whatever the upstream says',
    section: '5',
    run: async (t) => {
      t.answer(answer(200, [['Access-Control-Allow-Origin', '*']]));
      const response = await t.send({ headers: [['Origin', 'https://evil.test']] });
      assert.equal(headerValue(response.headers, 'access-control-allow-origin'), undefined);
    },
  },
  {
    name: 'treats an OPTIONS that is no preflight as any request',
    section: '5',
    run: async (t) => {
      await t.refused(await t.send({ method: 'OPTIONS', mandate: null }), { error: 'missing_token' });
    },
  },
];
