// The governed gateway with its evidence in a journal and, as the configuration says, revocations, replays and limits in Redis, the
// journal shipped to PostgreSQL, and a token service in the same process, on the same port.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiKey, createGateway, Secret } from '@caracal/core';
import { openJournal } from '@caracal/file';
import { httpServerOptions, nodeHandler } from '@caracal/node';
import { postgresAuditShipper } from '@caracal/postgres';
import { RECOMMENDED_REDIS_OPTIONS, redisReplayStore, redisStores } from '@caracal/redis';
import { createTokenService } from '@caracal/sts';
import { Redis } from 'ioredis';
import pg from 'pg';
import { gatewayOptions, MINT_FORM } from '../input.mjs';
import { serve } from '../serve.mjs';

const NAME = `bench-${process.pid}`;

await serve(async (config) => {
  const sink = await openSink(config);
  const stores = config.redis === true ? await openRedis(config) : {};
  const audit = { sink, durability: 'written' };
  const { issuers, resources } = gatewayOptions({ apiKey, Secret }, config);
  const tokens = config.mints === true ? await tokenService({ ...stores, resources, audit }) : undefined;
  const own = tokens === undefined ? [] : [{ issuer: tokens.issuer, keySource: tokens.keySource }];
  const { rateLimiter, revocations, replays } = stores;
  const gateway = createGateway({
    issuers: [...issuers, ...own],
    resources:
      config.mints === true ? resources.map((resource) => ({ ...resource, mandateReuse: 'single_use' })) : resources,
    ...(revocations && { revocations, replays, rateLimiter }),
    audit,
  });
  const handle = nodeHandler(gateway);
  const server = createServer(httpServerOptions());
  handle.attach(server, (req, res) => {
    if (tokens?.serves(req.url))
      void tokens.listener(req, res); // answers its own faults
    else handle(req, res);
  });
  return server;
});

async function openSink({ postgres, databaseUrl }) {
  const directory = mkdtempSync(join(tmpdir(), 'caracal-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  if (postgres !== true) return openJournal({ directory, onWarning() {} });
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  pool.on('error', () => {}); // it is stopped before this process is
  const shipper = postgresAuditShipper({ pool, journal: NAME, onWarning: ({ message }) => console.error(message) });
  const journal = await openJournal({ directory, onWarning() {}, headSink: (head) => shipper.keepHead(head) });
  shipper.start(journal);
  return journal;
}

async function openRedis({ redisUrl }) {
  const client = new Redis(redisUrl, RECOMMENDED_REDIS_OPTIONS);
  client.on('error', () => {}); // likewise
  const stores = redisStores({ client, prefix: NAME, onWarning: () => {} }); // it connects
  await stores.ready();
  // A memory that begins now takes what is issued from now on: there is no other clock here that could be ahead.
  const replays = redisReplayStore({ client, prefix: `${NAME}-marks`, clockSkewSeconds: 0 });
  return { revocations: stores.revocations, rateLimiter: stores.rateLimiter, replays };
}

function tokenService({ revocations, resources, audit }) {
  const { client_id: id, client_secret: secret, resource, scope } = MINT_FORM;
  return createTokenService({
    issuer: 'http://127.0.0.1:9',
    applications: [{ id, secret: new Secret(secret), grants: [{ resource, scopes: [scope] }] }],
    resources: resources.map(({ identifier, scopes }) => ({ identifier, scopes })),
    ...(revocations && { revocations }),
    audit,
  });
}
