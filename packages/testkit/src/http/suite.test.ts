import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import { createTestIssuer } from '../issuer.js';
import type { Subject, SubjectConfig } from '../subject.js';
import { assertNoCanary, Canaries } from './canaries.js';
import type { HttpCase } from './case.js';
import { httpCases } from './cases.js';
import { runHttpCase } from './run-case.js';
import { startHttpSuite } from './suite.js';

const IDLE: Subject = {
  port: 1,
  records: () => Promise.resolve([]),
  allRecords: () => [],
  output: () => '',
  revoke: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

const PASSES: HttpCase = { name: 'passes', section: '1', run: () => Promise.resolve() };
const FAILS: HttpCase = { name: 'fails', section: '1', run: () => Promise.reject(new Error('it does not')) };

describe('httpCases', () => {
  it('have names of their own', () => {
    const names = httpCases.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('each name a section', () => {
    for (const { section } of httpCases) expect(section).toMatch(/^\d+(\.(\d+|target|refusal))?$/);
  });
});

describe('startHttpSuite', () => {
  it('gives a configuration that survives JSON', async () => {
    const configs: SubjectConfig[] = [];
    const suite = await startHttpSuite({
      start: (config) => {
        configs.push(config);
        return Promise.resolve(IDLE);
      },
    });
    await suite.subject('main');
    await suite.subject('bare');
    await suite.subject('main');
    expect(configs.map(({ durability }) => durability)).toEqual(['written', 'buffered']);
    for (const config of configs) expect(JSON.parse(JSON.stringify(config))).toEqual(config);
    await suite.close();
  });

  it('refuses a gap that no case has', async () => {
    const start = () => Promise.resolve(IDLE);
    await expect(startHttpSuite({ start, gaps: { 'no such case': 'reason' } })).rejects.toThrow('no such case');
  });

  it('fails in the end where a secret was logged', async () => {
    const suite = await startHttpSuite({
      start: () => Promise.resolve({ ...IDLE, output: () => 'log: secret-of-the-run' }),
    });
    await suite.subject('main');
    suite.canaries.add('secret-of-the-run', 'the secret');
    await expect(suite.close()).rejects.toThrow('the secret showed up');
  });
});

describe('runHttpCase', () => {
  it('passes and fails as the case does', async () => {
    const suite = await startHttpSuite({ start: () => Promise.resolve(IDLE) });
    await runHttpCase(PASSES, suite);
    await expect(runHttpCase(FAILS, suite)).rejects.toThrow('it does not');
    await suite.close();
  });

  it('expects a gap to fail, and fails where it passes', async () => {
    const suite = await startHttpSuite({ start: () => Promise.resolve(IDLE) });
    const withGaps = { ...suite, gaps: { fails: 'a reason', passes: 'a reason' } };
    await runHttpCase(FAILS, withGaps);
    await expect(runHttpCase(PASSES, withGaps)).rejects.toThrow('remove it from the gaps');
    await suite.close();
  });
});

describe('assertNoCanary', () => {
  it('finds a secret raw, in base64, percent-encoded, and a mandate by its signature', async () => {
    const canaries = new Canaries();
    canaries.add('a secret/with=signs', 'the secret');
    const mandate = await (await createTestIssuer()).mint();
    canaries.add(mandate, 'the mandate');
    const spellings = [
      'a secret/with=signs',
      btoa('a secret/with=signs'),
      encodeURIComponent('a secret/with=signs'),
      mandate.split('.')[2]!,
    ];
    for (const text of spellings) {
      assert.throws(() => assertNoCanary(canaries, ['clean', `before ${text} after`]), /showed up/);
    }
    assertNoCanary(canaries, ['clean']);
  });
});
