import { describe, expect, it } from 'vitest';
import { CaracalError } from '../errors.js';
import type { Outbound, OutboundAnswer, OutboundRequest } from '../forward/outbound.js';
import type { KeySet } from './key-source.js';
import { deferred, fixtureClock, fixtureIssuer } from './mandate.fixture.js';
import {
  FAILURE_PAUSE_MS,
  KEY_SET_MAX_AGE_MS,
  KEY_SET_MAX_BYTES,
  KEY_SET_MAX_STALE_MS,
  MAX_WAITING,
  remoteKeySource,
  UNKNOWN_KID_INTERVAL_MS,
} from './remote-key-source.js';

const first = (await fixtureIssuer('ES256', 'first')).jwk;
const second = (await fixtureIssuer('ES256', 'second')).jwk;
const addressPolicy = { key: 'test', allows: () => true };

/** An outbound whose answers the test gives. */
function setup() {
  const clock = fixtureClock();
  const requests: OutboundRequest[] = [];
  const warnings: string[] = [];
  let answer: () => Promise<OutboundAnswer> = async () => keySet(first);
  const outbound: Outbound = {
    fetch: (request) => {
      requests.push(request);
      return answer();
    },
  };
  const source = remoteKeySource({
    issuer: 'https://i.example',
    jwksUri: 'https://i.example/jwks',
    outbound,
    addressPolicy,
    clock,
    algorithms: new Set(['ES256']),
    onWarning: (message) => void warnings.push(message),
  });
  const answerWith = (next: typeof answer) => {
    answer = next;
  };
  return { clock, requests, warnings, source, answerWith };
}

function keySet(...keys: object[]): OutboundAnswer {
  return { status: 200, headers: [], body: new TextEncoder().encode(JSON.stringify({ keys })) };
}

describe('remoteKeySource', () => {
  it('fetches within its limits through the address policy', async () => {
    const { source, requests } = setup();
    expect(source.version()).toBeUndefined();
    const set = await source.current();
    expect(set.get('first')).toMatchObject({ alg: 'ES256' });
    expect(requests).toEqual([
      expect.objectContaining({
        method: 'GET',
        url: 'https://i.example/jwks',
        body: undefined,
        timeoutMs: 5_000,
        maxBytes: 262_144,
        addressPolicy,
      }),
    ]);
  });

  it('answers at once while the set is fresh, and looks again after 10 minutes', async () => {
    const { source, requests, clock } = setup();
    const set = await source.current();
    clock.pass(KEY_SET_MAX_AGE_MS - 1);
    expect(source.current()).toBe(set);
    clock.pass(1);
    await source.current();
    expect(requests).toHaveLength(2);
  });

  it('keeps its version while the document stays the same', async () => {
    const { source, clock, answerWith } = setup();
    const { version } = await source.current();
    clock.pass(KEY_SET_MAX_AGE_MS);
    expect((await source.current()).version).toBe(version);
    answerWith(async () => keySet(second));
    clock.pass(KEY_SET_MAX_AGE_MS);
    const rotated = await source.current();
    expect(rotated.version).not.toBe(version);
    expect(source.version()).toBe(rotated.version);
    expect(rotated.get('first')).toBeUndefined();
  });

  it('has a set that is due looked for when only cached verdicts ask, without waiting', async () => {
    const { source, clock, requests, answerWith } = setup();
    const { version } = await source.current();
    clock.pass(KEY_SET_MAX_AGE_MS);
    const answer = deferred<OutboundAnswer>();
    answerWith(() => answer.promise);
    expect(source.version()).toBe(version);
    expect(source.version()).toBe(version);
    expect(requests).toHaveLength(2);
    answer.resolve(keySet(second));
    await source.current();
    expect(source.version()).not.toBe(version);
  });

  it('shares one fetch among at most so many who wait', async () => {
    const { source, requests, answerWith } = setup();
    const answer = deferred<OutboundAnswer>();
    answerWith(() => answer.promise);
    const waiting = Array.from({ length: MAX_WAITING }, () => source.current());
    expect(() => source.current()).toThrow(CaracalError);
    expect(() => source.refresh('other')).toThrow(CaracalError);
    answer.resolve(keySet(first));
    const sets = await Promise.all(waiting);
    expect(new Set(sets).size).toBe(1);
    expect(requests).toHaveLength(1);
    expect(source.current()).toBe(sets[0]);
  });

  it('looks for an unknown kid at most once in 10 s', async () => {
    const { source, requests, clock, answerWith } = setup();
    const set = await source.current();
    answerWith(async () => keySet(first, second));
    const found = await source.refresh('second');
    expect(found.get('second')).toBeDefined();
    expect(found).not.toBe(set);
    clock.pass(UNKNOWN_KID_INTERVAL_MS - 1);
    expect(source.refresh('third')).toBe(found);
    expect(requests).toHaveLength(2);
    clock.pass(1);
    await source.refresh('third');
    expect(requests).toHaveLength(3);
  });

  it('tries nothing for 5 s after a failure, and warns of the first in a row', async () => {
    const { source, requests, clock, warnings, answerWith } = setup();
    answerWith(async () => Promise.reject(new Error('down')));
    await expect(source.current()).rejects.toThrow('keys_unavailable');
    clock.pass(FAILURE_PAUSE_MS - 1);
    expect(() => source.current()).toThrow('keys_unavailable');
    expect(requests).toHaveLength(1);
    clock.pass(1);
    await expect(source.current()).rejects.toThrow('keys_unavailable');
    expect(requests).toHaveLength(2);
    expect(warnings).toEqual(['Keys of issuer https://i.example could not be fetched']);
  });

  it('recovers from an outbound that throws instead of rejecting', async () => {
    const { source, clock, answerWith } = setup();
    answerWith(() => {
      throw new Error('broken');
    });
    await expect(source.current()).rejects.toThrow('keys_unavailable');
    clock.pass(FAILURE_PAUSE_MS);
    answerWith(async () => keySet(first));
    expect((await source.current()).get('first')).toBeDefined();
  });

  it('serves the last good set for 1 h while no other can be had', async () => {
    const { source, clock, answerWith } = setup();
    const set = await source.current();
    answerWith(async () => Promise.reject(new Error('down')));
    clock.pass(KEY_SET_MAX_AGE_MS);
    expect(await source.current()).toBe(set);
    expect(source.current()).toBe(set);
    clock.pass(KEY_SET_MAX_STALE_MS - KEY_SET_MAX_AGE_MS - 1);
    expect(await source.current()).toBe(set);
    expect(source.version()).toBe(set.version);
    clock.pass(1);
    expect(source.version()).toBeUndefined();
    expect(() => source.current()).toThrow('keys_unavailable');
  });

  it('does not let the last good set answer for a key it lacks while the issuer cannot be asked', async () => {
    const { source, clock, answerWith } = setup();
    await source.current();
    answerWith(async () => Promise.reject(new Error('down')));
    await expect(source.refresh('second')).rejects.toThrow('keys_unavailable');
    expect(() => source.refresh('second')).toThrow('keys_unavailable');
    clock.pass(FAILURE_PAUSE_MS);
    expect(() => source.refresh('second')).toThrow('keys_unavailable');
  });

  it('takes an emptied set for what it says', async () => {
    const { source, clock, answerWith } = setup();
    await source.current();
    answerWith(async () => keySet());
    clock.pass(KEY_SET_MAX_AGE_MS);
    expect((await source.current()).get('first')).toBeUndefined();
  });

  it('fails on answers that are no key set', async () => {
    const texts = ['', '<html>', '[]', '{"keys":{}}', 'null'];
    const answers: OutboundAnswer[] = texts.map((text) => ({ ...keySet(), body: new TextEncoder().encode(text) }));
    answers.push({ ...keySet(first), status: 404 }, { ...keySet(first), status: 302 });
    answers.push({ ...keySet(first), body: new Uint8Array(KEY_SET_MAX_BYTES + 1).fill(0x20) });
    for (const answer of answers) {
      const { source, answerWith } = setup();
      answerWith(async () => answer);
      await expect(Promise.resolve<KeySet>(source.current())).rejects.toThrow('keys_unavailable');
    }
  });
});
