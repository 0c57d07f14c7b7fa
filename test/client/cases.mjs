// What `@caracal/client` must do on every runtime: Node, Deno, Bun, Chromium. Web APIs only; `caracal` is the module.

/**
 * Runs every case against a world (see case-world.mjs).
 *
 * @returns {Promise<{ name: string, error?: string }[]>}
 */
export async function runCases(caracal, worldUrl) {
  const profile = await (await fetch(`${worldUrl}/profile`)).json();
  const control = async (name, argument) =>
    (await fetch(`${worldUrl}/control`, { method: 'POST', body: JSON.stringify({ name, argument }) })).json();
  const results = [];
  for (const [name, run] of Object.entries(CASES)) {
    const createClient = (options = {}) => caracal.createClient({ ...profile, ...options });
    try {
      await run({ caracal, createClient, control, profile });
      results.push({ name });
    } catch (error) {
      results.push({ name, error: String(error?.stack ?? error) });
    }
    await control('mend');
  }
  return results;
}

const CASES = {
  'calls with a mandate of its own, the body as it was': async ({ createClient }) => {
    const body = new Uint8Array(1_000_000).map((_, index) => index % 128);
    const answer = await createClient().transport()('/echo?q=%2F', { method: 'POST', body });
    const seen = await answer.json();
    equal(seen.method, 'POST');
    equal(seen.url, '/echo?q=%2F');
    equal(seen.sha256, await sha256(body));
    equal(seen.authorization, 'the credential of the upstream');
  },

  'mints once for 100 calls at once': async ({ createClient, control }) => {
    const before = await control('mints');
    const agent = createClient().transport({ scopes: ['example:read'] });
    const answers = await Promise.all(Array.from({ length: 100 }, () => agent('/echo')));
    for (const answer of answers) {
      equal(answer.status, 200);
      await answer.text();
    }
    equal((await control('mints')) - before, 1);
  },

  'turns a refusal into a typed error': async ({ caracal, createClient }) => {
    const agent = createClient().transport({ scopes: ['example:read'] });
    const error = await failure(agent('/echo', { method: 'POST', body: '{}' }));
    equal(error instanceof caracal.InsufficientScopeError, true);
    equal(error.scopes.join(), 'example:write');
    equal(/^[0-9a-f-]{36}$/.test(error.requestId), true);
  },

  "passes the upstream's own 401": async ({ createClient }) => {
    const answer = await createClient().transport()('/unauthorized');
    equal(answer.status, 401);
    equal(await answer.text(), 'who are you?');
  },

  'sends a mandate nowhere else': async ({ caracal, createClient, control }) => {
    const agent = createClient().transport();
    for (const url of ['https://evil.example/', '//evil.example/', (await control('foreignUrl')).url]) {
      equal((await failure(agent(url))).code, 'foreign_url');
    }
    // A browser hides where a redirect leads, so that there it is an error.
    const answer = await agent('/redirect-away').catch((error) => error);
    if (answer instanceof caracal.CaracalError) equal(answer.code, 'redirected');
    else equal(answer.status, 302);
    equal((await control('foreignUrl')).hits, 0);
  },

  'follows a redirect within the gateway': async ({ caracal, createClient }) => {
    const answer = await createClient()
      .transport()('/redirect-home')
      .catch((error) => error);
    if (answer instanceof caracal.CaracalError) equal(answer.code, 'redirected');
    else equal((await answer.json()).url, '/echo?redirected');
  },

  'surfaces a revoked session as one error, without a storm': async ({ caracal, createClient, control }) => {
    const agent = createClient().transport();
    const first = await agent('/echo');
    await first.text();
    await control('revokeSession', first.headers.get('x-caracal-request-id'));
    equal((await failure(agent('/echo'))) instanceof caracal.SessionRevokedError, true);
    const before = await control('counts');
    const errors = await Promise.all(Array.from({ length: 50 }, () => failure(agent('/echo'))));
    equal(
      errors.every((error) => error.code === 'session_revoked'),
      true,
    );
    equal(JSON.stringify(await control('counts')), JSON.stringify(before));
  },

  'says why no mandate can be had': async ({ caracal, createClient }) => {
    const error = await failure(createClient({ applicationSecret: 'wrong' }).transport()('/echo'));
    equal(error instanceof caracal.MintError, true);
    equal(error.code, 'invalid_client');
    equal(`${error}${JSON.stringify(error)}`.includes('wrong'), false);
  },

  'calls on while the token endpoint is down': async ({ createClient, control }) => {
    const agent = createClient().transport();
    await (await agent('/echo')).text();
    await control('fault', 'token_endpoint_down');
    equal((await agent('/echo')).status, 200);
  },

  'hands URL and headers to another client': async ({ createClient, profile }) => {
    const client = createClient({ propagate: (headers) => Object.assign(headers, { 'x-request-id': 'task-7' }) });
    const { url, headers } = await client.gatewayRequest(profile.resources[0].identifier, { path: '/echo' });
    const seen = await (await fetch(url, { headers })).json();
    equal(seen.requestId, 'task-7');
    equal(seen.authorization, 'the credential of the upstream');
  },

  'takes mandates from elsewhere than a token endpoint': async ({ createClient, control }) => {
    const mint = async ({ scopes }) => ({ access_token: await control('mint', scopes), expires_in: 300 });
    const agent = createClient({ mint, applicationSecret: undefined }).transport({ scopes: ['example:read'] });
    equal((await agent('/echo')).status, 200);
  },
};

async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

function equal(actual, expected) {
  if (actual !== expected) throw new Error(`${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
}

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
