// What `pnpm pack` makes, imported by real Deno and Bun as they import packages from npm, and a governed call through it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  childSubject,
  createTestIssuer,
  headerValue,
  RawConnection,
  requestBytes,
  startUpstream,
} from '@caracal/testkit';
import { packages } from '../structure/packages.mjs';
import { installTarballs, packAll } from '../structure/packed.mjs';
import { RUNTIMES, subjectCommand } from './runtimes.mjs';

const run = promisify(execFile);
const KEY = 'packed-key-1';
const IMPORT_ALL = `
const names = ${JSON.stringify(packages.map(({ name }) => name))};
const exported = {};
for (const name of names) exported[name] = Object.keys(await import('@caracal/' + name)).sort();
console.log(JSON.stringify(exported));
`;

const project = mkdtempSync(`${realpathSync(tmpdir())}/caracal-packed-runtimes-`);
try {
  await installTarballs(project, await packAll(project));
  const dependencies = Object.fromEntries(packages.map(({ name }) => [`@caracal/${name}`, '*']));
  writeFileSync(`${project}/package.json`, JSON.stringify({ type: 'module', dependencies }));
  writeFileSync(`${project}/import-all.mjs`, IMPORT_ALL);
  // The same programs as the suite runs, but here `@caracal/*` is what the tarballs hold.
  for (const path of ['test/runtimes/subject.mjs', 'docs/dist/adapters/deno-serve.js', 'docs/dist/adapters/bun.js']) {
    cpSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), `${project}/${path}`);
  }
  for (const name of ['deno', 'deno-serve', 'bun']) await underRuntime(RUNTIMES.find((each) => each.name === name));
} finally {
  rmSync(project, { recursive: true, force: true });
}

async function underRuntime(runtime) {
  const startedAt = performance.now();
  let verdict = 'ok';
  try {
    const [executable, ...args] = await subjectCommand(runtime);
    const flags = args.slice(0, -2);
    await imports(executable, flags);
    await governedCall([executable, ...flags, `${project}/test/runtimes/subject.mjs`, runtime.adapter]);
  } catch (error) {
    console.error(`packed on ${runtime.name}: ${error?.stack ?? error}\n`);
    verdict = 'FAILED';
    process.exitCode = 1;
  }
  console.log(`packed on ${runtime.name}: ${verdict} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
}

/** Every tarball exports there what its package exports here. */
async function imports(executable, flags) {
  const { stdout } = await run(executable, [...flags, 'import-all.mjs'], { cwd: project });
  const exported = JSON.parse(stdout);
  for (const { name, directory } of packages) {
    const here = Object.keys(await import(`${directory}/dist/index.js`)).sort();
    assert.deepEqual(exported[name], here, `@caracal/${name}`);
  }
}

/**
 * One call that is admitted, gets the upstream's credential, and leaves its evidence; one without a mandate that is refused.
 * The environment names a proxy, which some runtimes would hand the credential: nothing may come there.
 */
async function governedCall(command) {
  const upstream = await startUpstream();
  const proxy = await startUpstream();
  const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
  const issuer = await createTestIssuer();
  const subject = await childSubject(
    command,
    {
      issuers: [{ issuer: issuer.issuer, zone: issuer.zoneId, profile: issuer.profile, jwks: issuer.jwks() }],
      resources: [
        {
          identifier: 'resource://packed',
          upstreamUrl: upstream.origin,
          allowPrivateNetwork: true,
          provider: {
            id: 'provider://packed',
            kind: 'bearer_token',
            secret: { plain: KEY },
            origins: [upstream.origin],
          },
        },
      ],
      durability: 'written',
    },
    {
      cwd: project,
      env: { ...Object.fromEntries(proxies.map((name) => [name, proxy.origin])), NO_PROXY: '', no_proxy: '' },
    },
  );
  const ask = async (mandate) => {
    const connection = await RawConnection.open(subject.port);
    const headers = [['X-Case', 'packed']];
    void connection.send(requestBytes({ target: '/v1/x', mandate, resource: 'resource://packed', headers }));
    const response = await connection.response();
    connection.destroy();
    const requestId = headerValue(response.headers, 'x-caracal-request-id');
    return { response, records: await subject.records(requestId) };
  };
  try {
    const mandate = await issuer.mint({ target: ['resource://packed'] });
    const allowed = await ask(mandate);
    assert.equal(allowed.response.status, 200);
    assert.deepEqual(
      allowed.records.map(({ type, decision }) => [type, decision]),
      [
        ['request.authorized', 'allowed'],
        ['request.completed', 'allowed'],
      ],
    );
    const refused = await ask(null);
    assert.equal(headerValue(refused.response.headers, 'x-caracal-error'), 'missing_token');
    assert.deepEqual(
      refused.records.map(({ type }) => type),
      ['request.denied'],
    );
    const received = upstream.requests('packed');
    assert.equal(received.length, 1, 'what was refused reached the upstream');
    assert.equal(headerValue(received[0].headers, 'authorization'), `Bearer ${KEY}`);
    assert.deepEqual([proxy.requests('packed'), proxy.untagged], [[], []], 'the proxy of the environment was used');
    const told = subject.output() + JSON.stringify(subject.allRecords());
    for (const secret of [mandate, KEY]) assert.ok(!told.includes(secret), 'a secret was printed or recorded');
  } finally {
    await subject.close();
    await upstream.close();
    await proxy.close();
  }
}
