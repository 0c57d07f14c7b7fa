import assert from 'node:assert/strict';
import { bytes, headOf } from '../answers.js';
import type { CaseRequest, HttpCase, HttpCaseTools } from '../case.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Requests that are sent again, and those that never are, once they may have had an effect. */
const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS'];
const EFFECTIVE: readonly CaseRequest[] = [
  { method: 'POST' },
  { method: 'POST', body: 'hello' },
  { method: 'PUT', body: 'hello' },
  { method: 'PATCH', chunks: ['hello'] },
  { method: 'DELETE' },
  { method: 'GET', body: 'hello' },
];

function described({ method, body, chunks }: CaseRequest): string {
  return `${method} ${body === undefined && chunks === undefined ? 'without' : 'with'} a body`;
}

/** Answers the first request, closes on the second, answers the third. */
function closesOnReuse(t: HttpCaseTools, partly = ''): void {
  t.answer(async (request, reply) => {
    if (t.lone.stale.requests(t.tag).length !== 2) {
      await request.bodyEnded;
      await reply.write(request.method === 'HEAD' ? headOf(200, [['Content-Length', '2']]) : OK);
      return;
    }
    if (partly !== '') await reply.write(partly);
    reply.end();
  });
}

/** Section 7: what is sent once more, and what never is. */
export const resendCases: readonly HttpCase[] = [
  ...IDEMPOTENT.map(
    (method): HttpCase => ({
      name: `sends ${method} once more where a reused connection closes before any answer`,
      section: '7',
      run: async (t) => {
        closesOnReuse(t);
        // With GET: after HEAD some clients close.
        assert.equal((await t.send({ resource: 'resource://stale' })).status, 200);
        const second = await t.send({ method, resource: 'resource://stale' });
        await t.allowed(second);
        const records = await t.records(second);
        assert.equal(t.lone.stale.requests(t.tag).length, 3);
        assert.equal(records.at(-1)?.attempts, 2);
      },
    }),
  ),
  ...EFFECTIVE.map(
    (request): HttpCase => ({
      name: `never sends ${described(request)} once more after its bytes were written`,
      section: '7',
      run: async (t) => {
        closesOnReuse(t);
        assert.equal((await t.send({ resource: 'resource://stale' })).status, 200);
        const second = await t.send({ ...request, resource: 'resource://stale' });
        assert.equal(second.status, 502);
        assert.equal(t.lone.stale.requests(t.tag).length, 2);
        assert.equal((await t.records(second)).at(-1)?.outcome, 'upstream_error');
      },
    }),
  ),
  {
    name: 'does not send GET once more where an answer has begun',
    section: '7',
    run: async (t) => {
      closesOnReuse(t, 'HTTP/1.1 200 OK\r\nConte');
      assert.equal((await t.send({ resource: 'resource://stale' })).status, 200);
      assert.equal((await t.send({ resource: 'resource://stale' })).status, 502);
      assert.equal(t.lone.stale.requests(t.tag).length, 2);
    },
  },
  {
    name: 'does not send GET once more where a new connection closes without an answer',
    section: '7',
    run: async (t) => {
      t.answer((_, reply) => reply.end());
      const response = await t.send({ resource: 'resource://fresh' });
      assert.equal(response.status, 502);
      assert.equal(t.lone.fresh.requests(t.tag).length, 1);
      assert.equal((await t.records(response)).at(-1)?.outcome, 'upstream_error');
    },
  },
  {
    name: 'reuses a connection to the upstream',
    section: '7',
    run: async (t) => {
      t.answer(bytes(OK));
      for (let count = 0; count < 3; count += 1) await t.send({ resource: 'resource://stale' });
      const ordinals = t.lone.stale.requests(t.tag).map(({ connection }) => connection.ordinal);
      assert.ok(ordinals.some((ordinal) => ordinal > 1));
    },
  },
];
