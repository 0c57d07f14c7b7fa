import { type Anchor, CaracalError } from '@caracal/core';
import { describe, expect, it } from 'vitest';
import { changeAnchors, isNotReplicated } from './change-anchors.js';

const anchors = ['a', 'b', 'c'].map((id): Anchor => ({ zoneId: 'z', issuer: 'https://i.example', kind: 'sid', id }));
const failure = (reason: string) => new CaracalError('revocation_unavailable', reason);

async function outcome(of: Readonly<Record<string, string>>) {
  const changed: string[] = [];
  const cause = await changeAnchors(anchors, async ({ id }) => {
    changed.push(id);
    const reason = of[id];
    if (reason !== undefined) throw failure(reason);
  }).catch((thrown: unknown) => thrown);
  expect(changed).toEqual(['a', 'b', 'c']);
  return cause;
}

describe('changeAnchors', () => {
  it('changes every one, whatever becomes of the others', async () => {
    expect(await outcome({})).toBeUndefined();
    expect(await outcome({ a: 'not_durable' })).toMatchObject({ reason: 'not_durable' });
  });

  it('says that replicas are missing only where nothing else is', async () => {
    expect(isNotReplicated(await outcome({ a: 'not_replicated', c: 'not_replicated' }))).toBe(true);
    expect(isNotReplicated(await outcome({ a: 'not_replicated', b: 'not_durable' }))).toBe(false);
    expect(isNotReplicated(new Error('not_replicated'))).toBe(false);
  });
});
