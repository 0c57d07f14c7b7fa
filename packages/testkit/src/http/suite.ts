import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { createTestIssuer, type TestIssuer } from '../issuer.js';
import type { Subject, SubjectConfig } from '../subject.js';
import { type RecordingUpstream, startUpstream } from '../upstream.js';
import { assertNoCanary, Canaries } from './canaries.js';
import { httpCases } from './cases.js';
import { CREDENTIALS, type IssuerName, suiteConfig, type Variant } from './world.js';

/** Options of {@link startHttpSuite}. */
export interface HttpSuiteOptions {
  /** Starts a gateway under test: `childSubject`, `localSubject` or anything like them. Called once a variant. */
  readonly start: (config: SubjectConfig) => Promise<Subject>;
  /** Cases this gateway cannot pass, by name, with the reason. A case that passes although it is listed fails. */
  readonly gaps?: Readonly<Record<string, string>>;
}

/** Everything that the cases share: upstreams, issuers, and the gateways under test. */
export interface HttpSuite {
  readonly upstreams: {
    readonly main: RecordingUpstream;
    readonly stale: RecordingUpstream;
    readonly fresh: RecordingUpstream;
  };
  readonly issuers: Readonly<Record<IssuerName, TestIssuer>>;
  readonly canaries: Canaries;
  readonly gaps: Readonly<Record<string, string>>;
  /** The gateway of a variant, started when it is first asked for. */
  subject(variant: Variant): Promise<Subject>;
  /** Waits where another early refusal with this code could be counted instead of recorded. */
  pace(error: string): Promise<void>;
  /** Closes everything, then asserts that no secret was recorded or logged and nothing unasked went upstream. */
  close(): Promise<void>;
}

// Above 100 a second, refusals of one peer and code become one record with a count: there would be nothing to assert.
const MAX_REFUSALS_A_SECOND = 80;

/** Starts the upstreams and makes the issuers. @throws TypeError that names a gap which is no case */
export async function startHttpSuite({ start, gaps = {} }: HttpSuiteOptions): Promise<HttpSuite> {
  for (const name of Object.keys(gaps)) {
    if (!httpCases.some((known) => known.name === name)) throw new TypeError(`startHttpSuite: no case "${name}"`);
  }
  const [main, stale, fresh] = await Promise.all([startUpstream(), startUpstream(), startUpstream()]);
  const closed = await refusingOrigin();
  const origins = { main: main.origin, stale: stale.origin, fresh: fresh.origin, closed };
  const issuers = await suiteIssuers();
  const canaries = new Canaries();
  for (const [name, secret] of Object.entries(CREDENTIALS)) canaries.add(secret, `credential ${name}`);
  const subjects = new Map<Variant, Promise<Subject>>();
  const subject = (variant: Variant): Promise<Subject> => {
    const known = subjects.get(variant);
    if (known !== undefined) return known;
    const started = start(suiteConfig(variant, origins, issuers));
    subjects.set(variant, started);
    return started;
  };
  const upstreams = { main, stale, fresh };
  const close = async (): Promise<void> => {
    const started = (await Promise.allSettled(subjects.values())).flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    );
    await Promise.all(started.map((each) => each.close()));
    await Promise.all(Object.values(upstreams).map((each) => each.close()));
    for (const each of started) {
      assertNoCanary(canaries, [each.output(), ...each.allRecords().map((record) => JSON.stringify(record))]);
    }
    for (const each of Object.values(upstreams)) {
      assert.deepEqual(
        each.untagged.map(({ method, target }) => `${method} ${target}`),
        [],
        'requests that nobody asked for reached an upstream',
      );
      assert.deepEqual(each.faults, [], 'an upstream met a request it could not read');
    }
  };
  return { upstreams, issuers, canaries, gaps, subject, pace: pacer(), close };
}

async function suiteIssuers(): Promise<Record<IssuerName, TestIssuer>> {
  const [main, eddsa, rs256, rfc9068, elsewhere, forger, stranger] = await Promise.all([
    createTestIssuer(),
    createTestIssuer({ issuer: 'https://eddsa.test', algorithm: 'EdDSA' }),
    createTestIssuer({ issuer: 'https://rs256.test', algorithm: 'RS256' }),
    createTestIssuer({ issuer: 'https://rfc9068.test', profile: 'rfc9068' }),
    createTestIssuer({ issuer: 'https://elsewhere.test', zoneId: 'elsewhere' }),
    createTestIssuer(),
    createTestIssuer({ issuer: 'https://stranger.test' }),
  ]);
  return { main, eddsa, rs256, rfc9068, elsewhere, forger, stranger };
}

/** An origin that refuses connections: a port that was free a moment ago. */
async function refusingOrigin(): Promise<string> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return `http://127.0.0.1:${port}`;
}

function pacer(): (error: string) => Promise<void> {
  const times = new Map<string, number[]>();
  return async (error) => {
    const recent = (times.get(error) ?? []).filter((time) => time > performance.now() - 1_000);
    const oldest = recent[0];
    if (recent.length >= MAX_REFUSALS_A_SECOND && oldest !== undefined) {
      await new Promise<void>((resolve) => {
        setTimeout(resolve, oldest + 1_000 - performance.now());
      });
    }
    times.set(error, [...recent, performance.now()]);
  };
}
