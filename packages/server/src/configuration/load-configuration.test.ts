import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfiguration } from './load-configuration.js';
import { ConfigurationError } from './problem.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'caracal-configuration-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function load(name: string, text: string) {
  await writeFile(join(directory, name), text);
  return loadConfiguration(name, { directory });
}

/** `line path fault; remedy` of each problem. */
async function problems(name: string, text: string): Promise<string[]> {
  const error = await load(name, text).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(ConfigurationError);
  return (error as ConfigurationError).problems.map(
    ({ line, path, fault, remedy }) => `${line ?? '-'} ${path}: ${fault}; ${remedy}`,
  );
}

const GOOD = {
  issuers: [{ issuer: 'https://id.example', jwksUri: 'https://id.example/jwks', profile: 'rfc9068' }],
  providers: [{ id: 'provider://a', kind: 'api_key', headerName: 'X-Key', secret: { file: 'key' } }],
  resources: [
    { identifier: 'resource://a', scopes: ['r'], upstreamUrl: 'http://127.0.0.1:9', provider: 'provider://a' },
  ],
};

const WRONG = `zone: default
gatway: {}
gateway:
  publicUrl: http://x/y
tokenService:
  issuer: http://127.0.0.1:9999
  applications:
    - id: a
      secret: hunter2-hunter2
      grants:
        - resource: resource://bill
    - id: A
      secret: { env: FOO }
providers:
  - id: provider://b
    kind: api_key
    headerNam: X
    secret: { env: B }
  - id: provider://c
    kind: api_keys
resources:
  - identifier: resource://billing
    upstreamUrl: https://x/a?b
    provider: provider://bb
    scopes: [a]
    operations:
      - { method: GET, path: "/a/{id}", scopes: [z] }
      - { method: GET, path: "/b/../c", scopes: [a] }
      - { method: GET, path: /q, scopes: [a], nam: 3 }
    tls: { key: hunter2-hunter2 }
    __proto__: 3
stores: { postgres: { url: { env: X }, pool: 3 } }
admin: { listen: "0.0.0.0:1", token: hunter2-hunter2 }
`;

describe('loadConfiguration', () => {
  it('tells of everything that is wrong at once: where, what, and the remedy', async () => {
    const told = await problems('wrong.yaml', WRONG);
    expect(told.map((problem) => problem.slice(0, problem.indexOf(': ')))).toEqual([
      '2 gatway',
      '4 gateway.publicUrl',
      '6 tokenService.issuer',
      '9 tokenService.applications[0].secret',
      '11 tokenService.applications[0].grants[0].resource',
      '12 tokenService.applications[1].id',
      '17 providers[0].headerNam',
      '20 providers[1].kind',
      '24 resources[0].provider',
      '27 resources[0].operations[0].scopes',
      '28 resources[0].operations[1].path',
      '29 resources[0].operations[2].nam',
      '30 resources[0].tls.key',
      '31 resources[0].__proto__',
      '32 stores.postgres.pool',
      '33 admin.token',
      '33 admin.listen',
    ]);
    expect(told).toContain('2 gatway: is not known; did you mean gateway?');
    expect(told).toContain(
      '11 tokenService.applications[0].grants[0].resource: is not among resources; did you mean resource://billing?',
    );
    expect(told.join()).not.toContain('hunter2');
  });

  it('reads JSON, YAML and a module alike, with defaults and absolute paths, frozen', async () => {
    const json = await load('a.json', JSON.stringify(GOOD));
    const yaml = await load('a.yaml', JSON.stringify(GOOD, undefined, 1));
    const module = await load('a.mjs', `export default Promise.resolve(${JSON.stringify(GOOD)});`);
    expect(yaml.configuration).toEqual(json.configuration);
    expect(module.configuration).toEqual(json.configuration);
    expect(new Set([json.version, yaml.version, module.version]).size).toBe(1);
    const { configuration } = json;
    expect(configuration.gateway).toMatchObject({ listen: '127.0.0.1:8081', audit: { durability: 'written' } });
    expect(configuration.stores.stateDirectory).toBe(join(directory, '.caracal'));
    expect(configuration.providers[0]).toMatchObject({ secret: { file: join(directory, 'key') } });
    expect(Object.isFrozen(configuration.resources[0]!.scopes)).toBe(true);
  });

  it('evaluates a module anew each time, and takes data alone', async () => {
    const text = (id: string) => `export default ${JSON.stringify({ ...GOOD, gateway: { id } })};`;
    expect((await load('b.mjs', text('one'))).configuration.gateway.id).toBe('one');
    expect((await load('b.mjs', text('two'))).configuration.gateway.id).toBe('two');
    expect(await problems('b.mjs', 'export default { gateway: () => 1 };')).toEqual([
      expect.stringContaining('exports more than data'),
    ]);
    expect(await problems('b.mjs', 'throw new RangeError("hunter2");')).toEqual([
      '- : cannot be evaluated (RangeError); run it with node to see why',
    ]);
  });

  it('tells the line of what cannot be read, and of keys given twice', async () => {
    expect(await problems('c.json', '{\n "zone": "a",\n}')).toEqual([expect.stringMatching(/^3 : is not JSON/)]);
    expect(await problems('c.json', '{\n "zone": "a",\n "zone": "b" }')).toEqual([
      '3 : has a key twice in one object; correct that line',
    ]);
    expect(await problems('c.json', '// c\n{}')).toEqual([expect.stringContaining('YAML has')]);
    expect(await problems('c.yaml', 'a: {b\nc: d')).toHaveLength(1);
    expect(await problems('c.yaml', 'a: !!js/function x')).toHaveLength(1);
    expect(await problems('c.yaml', '')).toEqual(['- : is no object; write the members of docs/configuration.md']);
  });

  it('finds the one caracal.config of a directory', async () => {
    await expect(loadConfiguration(undefined, { directory })).rejects.toThrow('holds no configuration');
    await writeFile(join(directory, 'caracal.config.json'), JSON.stringify(GOOD));
    expect((await loadConfiguration(undefined, { directory })).file).toBe(join(directory, 'caracal.config.json'));
    await writeFile(join(directory, 'caracal.config.yaml'), 'zone: a');
    await expect(loadConfiguration(undefined, { directory })).rejects.toThrow('more than one');
    await expect(loadConfiguration('none.json', { directory })).rejects.toThrow('is not there');
    await expect(load('x.toml', '')).rejects.toThrow('ending that says no format');
  });
});
