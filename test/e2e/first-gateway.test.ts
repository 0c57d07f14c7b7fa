import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFirstGateway } from '../../docs/examples/first-gateway.js';

const BILLING = 'resource://billing-api';

describe('the gateway of README', () => {
  let directory: string;
  let gateway: Awaited<ReturnType<typeof startFirstGateway>>;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'caracal-first-'));
    gateway = await startFirstGateway(directory, {}, { onWarning: () => {} });
  });
  afterAll(async () => {
    await gateway.close();
    await rm(directory, { recursive: true });
  });

  const call = (mandate: string | undefined) =>
    fetch(`${gateway.url}/v1/invoices/42`, {
      headers: {
        'X-Caracal-Resource': BILLING,
        ...(mandate === undefined ? {} : { Authorization: `Bearer ${mandate}` }),
      },
    });
  const evidenceOf = async (answer: Response) => {
    const requestId = answer.headers.get('x-caracal-request-id') ?? '';
    const types = async () => (await gateway.journal.trace(requestId)).records.map(({ record }) => record.type).join();
    await expect.poll(types, { timeout: 20_000 }).toMatch(/completed|denied/); // the end is written behind the answer
    return types();
  };

  it('attaches the upstream’s key, which no caller sees, and leaves evidence', async () => {
    const mandate = await gateway.issuer.mint({ scope: 'billing:read', target: [BILLING] });
    const answer = await call(mandate);
    expect(answer.status).toBe(200);
    const key = gateway.upstream.seen.at(-1)?.headers['x-api-key'] as string;
    expect(key).toMatch(/./);
    expect((await answer.text()) + JSON.stringify([...answer.headers])).not.toContain(key);
    expect(JSON.stringify(gateway.upstream.seen)).not.toContain(mandate);
    expect(await evidenceOf(answer)).toBe('request.authorized,request.completed');
  });

  it('refuses a call without a mandate, without the scope, and of a revoked session, and asks no upstream', async () => {
    const seen = gateway.upstream.seen.length;
    const { issuer, revocations } = gateway;
    const sid = 'a-session';
    const mandates = [
      undefined,
      await issuer.mint({ scope: 'billing:submit', target: [BILLING] }),
      await issuer.mint({ scope: 'billing:read', target: [BILLING], sid }),
    ];
    await revocations.revoke({ zoneId: issuer.zoneId, issuer: issuer.issuer, kind: 'sid', id: sid });
    const answers = await Promise.all(mandates.map(call));
    expect(answers.map(({ headers }) => headers.get('x-caracal-error'))).toEqual([
      'missing_token',
      'insufficient_scope',
      'session_revoked',
    ]);
    for (const answer of answers) expect(await evidenceOf(answer)).toBe('request.denied');
    expect(gateway.upstream.seen).toHaveLength(seen);
  });
});
