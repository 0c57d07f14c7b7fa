import { Secret, secretSource } from '@caracal/core';
import { describe, expect, it } from 'vitest';
import { MAX_CONCURRENT_GUESSES, MAX_WAITING_PER_PEER } from './guess-budget.js';
import { hashSecret, parseSecretHash } from './secret-hash.js';
import { type ExpectedSecret, SecretVerifier } from './secret-verifier.js';

/** Hashing secrets takes all the cores there are; on busy ones it takes long. */
const PATIENT_MS = 60_000;
const place = { providerId: 'agent', field: 'applicationSecret', origins: [] };
const inTheClear = (text: string): ExpectedSecret => ({
  kind: 'source',
  source: secretSource('test', { secret: new Secret(text) }, place),
});
const hashed = async (text: string): Promise<ExpectedSecret> => ({
  kind: 'hash',
  hash: parseSecretHash(await hashSecret(new Secret(text)))!,
});

describe('SecretVerifier', { timeout: PATIENT_MS }, () => {
  it('takes the right secret, in the clear or hashed, and no other', async () => {
    const verifier = new SecretVerifier('default', PATIENT_MS);
    for (const expected of [inTheClear('right'), await hashed('right')]) {
      await expect(verifier.verify('agent', 'right', expected, 'peer')).resolves.toBeUndefined();
      await expect(verifier.verify('agent', 'right', expected, 'peer')).resolves.toBeUndefined();
      await expect(verifier.verify('agent', 'wrong', expected, 'peer')).resolves.toMatchObject({
        error: 'invalid_client',
      });
    }
  });

  it('takes the secret that is kept now, and no longer the one before', async () => {
    const verifier = new SecretVerifier('default', PATIENT_MS);
    let kept = new Secret('before');
    const expected: ExpectedSecret = { kind: 'source', source: { open: () => kept } };
    await expect(verifier.verify('agent', 'before', expected, 'peer')).resolves.toBeUndefined();
    kept = new Secret('after');
    await expect(verifier.verify('agent', 'after', expected, 'peer')).resolves.toBeUndefined();
    await expect(verifier.verify('agent', 'before', expected, 'peer')).resolves.toMatchObject({
      error: 'invalid_client',
    });
  });

  it('answers an unknown application like a wrong secret', async () => {
    const verifier = new SecretVerifier('default', PATIENT_MS);
    const unknown = await verifier.verify('nobody', 'guess', undefined, 'peer');
    expect(unknown).toMatchObject({ error: 'invalid_client', status: 401 });
  });

  it('does not take the secret of one application for another', async () => {
    const verifier = new SecretVerifier('default', PATIENT_MS);
    const expected = await hashed('right');
    await expect(verifier.verify('agent', 'right', expected, 'peer')).resolves.toBeUndefined();
    await expect(verifier.verify('other', 'right', await hashed('else'), 'peer')).resolves.toMatchObject({
      error: 'invalid_client',
    });
  });

  it('lets known secrets pass at once while a stranger guesses, even from the same peer', async () => {
    const verifier = new SecretVerifier('default', PATIENT_MS);
    const expected = await hashed('right');
    await verifier.verify('agent', 'right', expected, 'peer');
    const room = MAX_CONCURRENT_GUESSES + MAX_WAITING_PER_PEER;
    const guesses = Array.from({ length: room + 3 }, (_, index) =>
      verifier.verify('agent', `${index}`, expected, 'peer'),
    );
    await expect(verifier.verify('agent', 'right', expected, 'peer')).resolves.toBeUndefined();
    await expect(verifier.verify('plain', 'clear', inTheClear('clear'), 'peer')).resolves.toBeUndefined();
    const answers = await Promise.all(guesses);
    expect(answers.filter((answer) => answer?.error === 'temporarily_unavailable')).toHaveLength(3);
    expect(answers.filter((answer) => answer?.error === 'invalid_client')).toHaveLength(room);
  });

  it('makes one guess of equal ones', async () => {
    const verifier = new SecretVerifier('default', PATIENT_MS);
    const expected = await hashed('right');
    const many = Array.from({ length: 50 }, () => verifier.verify('agent', 'right', expected, 'peer'));
    expect(await Promise.all(many)).toEqual(many.map(() => undefined));
  });
});

describe('parseSecretHash', () => {
  it('reads what hashSecret writes, which holds no secret', async () => {
    const text = await hashSecret(new Secret('a secret'));
    expect(text).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(parseSecretHash(text)?.key).toHaveLength(32);
  });

  it('refuses other costs, and everything else', async () => {
    const text = await hashSecret(new Secret('a secret'));
    for (const other of [text.replace('ln=14', 'ln=4'), `${text}$`, text.slice(0, -4), '', text.replace('$', '')]) {
      expect(parseSecretHash(other)).toBeUndefined();
    }
  });
});
