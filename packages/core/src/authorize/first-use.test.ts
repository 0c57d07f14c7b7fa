import { describe, expect, it } from 'vitest';
import type { Resolved } from '../admission.js';
import { memoryReplayStore } from '../memory/replay-store.js';
import type { VerifiedMandate } from '../verify/mandate-cache.js';
import { firstUse } from './first-use.js';

const now = Math.floor(Date.now() / 1000);
const admitted = (jti: string, targets: readonly string[], mandateReuse = 'single_use') =>
  ({
    mandate: {
      zoneId: 'default',
      issuer: 'https://tokens.example',
      jti,
      issuedAt: now + 60,
      expiresAt: now + 120,
      targets,
    },
    token: jti,
    resource: { mandateReuse },
  }) as unknown as Resolved;

function world() {
  const forgotten: string[] = [];
  const verifier = { forget: ({ token }: VerifiedMandate) => forgotten.push(token) };
  const { run } = firstUse(memoryReplayStore({ clockSkewSeconds: 0 }), 1_000, verifier as never);
  return { forgotten, run };
}

describe('firstUse', () => {
  it('has a mandate forgotten once it is spent, and refuses it after that', async () => {
    const { forgotten, run } = world();
    const admission = admitted('a', ['resource://one']);
    expect(await run(admission)).toBe(admission);
    expect(forgotten).toEqual(['a']);
    expect(await run(admission)).toMatchObject({ code: 'token_replayed' });
    expect(forgotten).toEqual(['a']);
  });

  it('has none forgotten that may be used again, or elsewhere', async () => {
    const { forgotten, run } = world();
    await run(admitted('a', ['resource://one'], 'until_expiry'));
    await run(admitted('b', ['resource://one', 'resource://two']));
    expect(forgotten).toEqual([]);
  });
});
