// What the cases run against: a gateway with token service and upstream, and a page for browsers, on 127.0.0.1.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { startTestGateway, TEST_CREDENTIAL } from '@caracal/testkit/gateway';

const PAGE = `<!doctype html><title>cases</title><script type="module">
  import * as caracal from '/client.js';
  import { runCases } from '/cases.mjs';
  const results = await runCases(caracal, location.origin).catch((error) => [{ name: 'all', error: String(error) }]);
  await fetch('/report', { method: 'POST', body: JSON.stringify(results) });
</script>`;

/**
 * Starts a world. `reported` resolves to the results of whoever runs the cases elsewhere.
 *
 * @returns {Promise<{ url: string, reported: Promise<{ name: string, error?: string }[]>, close: () => Promise<void> }>}
 */
export async function startCaseWorld() {
  let foreignHits = 0;
  let report = () => {};
  const reported = new Promise((resolve) => {
    report = resolve;
  });
  const server = createServer(async (req, res) => {
    try {
      await answer(req, res);
    } catch {
      res.destroy();
    }
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${server.address().port}`;
  const gateway = await startTestGateway({ upstream, gateway: { cors: { origins: [url] } } });

  function upstream({ method, url: path, headers, body }) {
    if (path === '/unauthorized') return { status: 401, body: 'who are you?' };
    if (path === '/redirect-home') return { status: 302, headers: { Location: '/echo?redirected' }, body: '' };
    if (path === '/redirect-away') return { status: 302, headers: { Location: `${url}/foreign` }, body: '' };
    return {
      body: {
        method,
        url: path,
        sha256: createHash('sha256').update(body).digest('hex'),
        authorization:
          headers.authorization === `Bearer ${TEST_CREDENTIAL}` ? 'the credential of the upstream' : 'another',
        requestId: headers['x-request-id'],
      },
    };
  }

  const controls = {
    mints: async () => (await gateway.records()).filter(({ type }) => type === 'mandate.issued').length,
    counts: async () => ({ calls: gateway.calls.length, records: (await gateway.records()).length }),
    mint: (scopes) => gateway.mint({ scope: scopes.join(' ') }),
    fault: (name) => gateway.fault(name),
    mend: () => gateway.mend(),
    foreignUrl: () => ({ url: `${url}/foreign`, hits: foreignHits }),
    revokeSession: async (requestId) => {
      const [{ issuer, sessionId }] = await gateway.records(requestId);
      await gateway.revoke({ issuer, kind: 'sid', id: sessionId });
    },
  };

  async function answer(req, res) {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const path = new URL(req.url, url).pathname;
    if (path === '/') return res.writeHead(200, { 'Content-Type': 'text/html' }).end(PAGE);
    if (path === '/client.js') return script(res, '../../packages/client/dist/index.js');
    if (path === '/cases.mjs') return script(res, 'cases.mjs');
    if (path === '/profile') return json(res, { ...gateway.profile, tokenUrl: `${url}/token` });
    if (path === '/token') return passOn(req, res, body);
    if (path === '/control') {
      const { name, argument } = JSON.parse(body);
      return json(res, (await controls[name](argument)) ?? null);
    }
    if (path === '/report') {
      report(JSON.parse(body));
      return json(res, null);
    }
    if (path === '/foreign') foreignHits += 1; // a browser asks for an icon, too
    return res.writeHead(404).end();
  }

  // A browser reaches a token endpoint through its own server alone.
  async function passOn(req, res, body) {
    const { authorization = '', 'content-type': contentType = '' } = req.headers;
    const headers = { authorization, 'content-type': contentType };
    const answered = await fetch(gateway.profile.tokenUrl, { method: 'POST', headers, body });
    res.writeHead(answered.status, { 'Content-Type': 'application/json' }).end(await answered.text());
  }

  return {
    url,
    reported,
    close: async () => {
      await gateway.close();
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function json(res, value) {
  res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

function script(res, path) {
  res.writeHead(200, { 'Content-Type': 'text/javascript' }).end(readFileSync(new URL(path, import.meta.url)));
}
