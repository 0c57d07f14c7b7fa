import { bearerToken, Secret } from '@caracal/core';
import { Octokit } from '@octokit/rest';
import { afterEach, describe, expect, it } from 'vitest';
import { startGateway } from './gateway.js';
import { expectOwnCredentialOnly, startStandIn } from './stand-in.js';

const TOKEN = 'ghp_the_real_token';
const closing: (() => Promise<void>)[] = [];

async function setUp() {
  const upstream = await startStandIn((req, res) => {
    const { origin, pathname, searchParams } = new URL(req.url ?? '/', upstream.url);
    res.setHeader('Content-Type', 'application/json');
    if (pathname === '/orgs/acme/repos') {
      const page = Number(searchParams.get('page') ?? 1);
      if (page < 3)
        res.setHeader(
          'Link',
          `<${origin}${pathname}?per_page=1&page=${page + 1}>; rel="next", <${origin}${pathname}?per_page=1&page=3>; rel="last"`,
        );
      res.end(JSON.stringify([{ id: page, name: `repo-${page}` }]));
    } else if (pathname === '/repos/acme/old') {
      res.writeHead(301, { Location: `${origin}/repositories/7` }).end('{}');
    } else if (pathname === '/repositories/7') {
      res.end(JSON.stringify({ id: 7, name: 'new' }));
    } else if (req.headers['if-none-match'] === '"etag-1"') {
      res.writeHead(304, { ETag: '"etag-1"' }).end();
    } else {
      res.setHeader('ETag', '"etag-1"').end(JSON.stringify({ id: 1, name: 'same' }));
    }
  });
  const gateway = await startGateway(() => [
    {
      identifier: 'resource://github',
      upstreamUrl: upstream.url,
      allowPrivateNetwork: true,
      mount: { pathPrefix: '/github' },
      provider: bearerToken({ id: 'provider://github', secret: new Secret(TOKEN), origins: [upstream.url] }),
    },
  ]);
  closing.push(gateway.close, upstream.close);
  const mandate = await gateway.mint();
  const octokit = new Octokit({
    auth: mandate,
    baseUrl: `${gateway.url}/github`,
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  return { octokit, upstream, gateway, mandate };
}

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

describe('@octokit/rest, through a mount', () => {
  it('follows pages by Link, all of them through the gateway', async () => {
    const { octokit, upstream, mandate } = await setUp();
    const repositories = await octokit.paginate(octokit.rest.repos.listForOrg, { org: 'acme', per_page: 1 });
    expect(repositories.map(({ name }) => name)).toEqual(['repo-1', 'repo-2', 'repo-3']);
    expectOwnCredentialOnly(upstream, 'authorization', `Bearer ${TOKEN}`, mandate);
  });

  it('follows a redirect back through the gateway', async () => {
    const { octokit, upstream, mandate } = await setUp();
    const { data } = await octokit.rest.repos.get({ owner: 'acme', repo: 'old' });
    expect(data.name).toBe('new');
    expect(upstream.seen.map(({ url }) => url)).toEqual(['/repos/acme/old', '/repositories/7']);
    expectOwnCredentialOnly(upstream, 'authorization', `Bearer ${TOKEN}`, mandate);
  });

  it('gets 304 for what it already has', async () => {
    const { octokit } = await setUp();
    const { headers } = await octokit.rest.repos.get({ owner: 'acme', repo: 'same' });
    const again = octokit.rest.repos.get({ owner: 'acme', repo: 'same', headers: { 'if-none-match': headers.etag! } });
    await expect(again).rejects.toMatchObject({ status: 304 });
  });
});
