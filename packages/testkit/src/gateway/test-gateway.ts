import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Anchor,
  type AuditRecord,
  createGateway,
  type GatewayOptions,
  localKeySource,
  memoryRevocationStore,
  Secret,
} from '@caracal/core';
import { attach, httpServerOptions } from '@caracal/node';
import { createTokenService } from '@caracal/sts';
import { RecordBook } from '../http/record-book.js';
import { WRONG_CLAIMS, WRONG_HEADERS, WRONG_TEXTS } from '../http/wrong-mandates.js';
import { type Claims, createTestIssuer, type TestIssuer } from '../issuer.js';
import { type FakeApi, type SeenCall, startFakeUpstream } from './fake-upstream.js';
import { breakableKeys, breakableRevocations, type FaultName } from './faults.js';
import { EXAMPLE_RESOURCE, inFrontOf, type TestResource } from './test-resource.js';

/** Options of {@link startTestGateway}. */
export interface TestGatewayOptions {
  /** Your resources. Default `resource://example`, see `EXAMPLE_RESOURCE`. */
  readonly resources?: readonly TestResource[];
  /** What the upstream of all of them answers. Default 200, `{"ok":true}`. */
  readonly upstream?: FakeApi;
  /** Whatever else your gateway has: `authorizers`, `rateLimiter`, `telemetry`, `cors`. */
  readonly gateway?: Omit<Partial<GatewayOptions>, 'issuers' | 'resources' | 'directory' | 'revocations' | 'audit'>;
}

/** A call through a {@link TestGateway}. */
export interface TestCall {
  readonly method?: string;
  /** Default the first of the gateway's resources. */
  readonly resource?: string;
  /** Default one that is good for everything; `null` for none. */
  readonly mandate?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What `createClient` of `@caracal/client` takes. */
export interface TestProfile {
  readonly gatewayUrl: string;
  readonly tokenUrl: string;
  readonly zone: string;
  readonly applicationId: string;
  readonly applicationSecret: string;
  readonly resources: readonly { readonly identifier: string }[];
}

/** A real gateway on loopback, in front of a fake upstream, with a token service and an issuer of any mandate. */
export interface TestGateway {
  readonly url: string;
  /** For an agent under test: application `test-agent`, granted everything. */
  readonly profile: TestProfile;
  /** Everything that reached the upstream. */
  readonly calls: readonly SeenCall[];
  /** Signs whatever it is told to; trusted by the gateway. */
  readonly issuer: TestIssuer;
  /** A mandate for every resource and scope, but for what the claims change or spoil. */
  mint(claims?: Claims, header?: Claims): Promise<string>;
  /** Mandates no gateway may let through: what is wrong with each, and the mandate. */
  wrongMandates(): Promise<readonly (readonly [what: string, mandate: string])[]>;
  /** Calls a resource. The answer is that of the gateway, or of the upstream. */
  call(path: string, call?: TestCall): Promise<Response>;
  /** The evidence of one answer, complete; or everything so far. */
  records(answer?: Response | string): Promise<readonly AuditRecord[]>;
  /** Resolves when it is in force. Zone and issuer default to those of {@link issuer}. */
  revoke(anchor: Pick<Anchor, 'kind' | 'id'> & Partial<Anchor>): Promise<void>;
  /** Breaks something; resolves when it is broken. */
  fault(name: FaultName): Promise<void>;
  /** Mends everything. */
  mend(): Promise<void>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const APPLICATION = 'test-agent';
const ALGORITHMS: ReadonlySet<string> = new Set(['ES256']);

/**
 * Starts one: ports are free ones of 127.0.0.1, keys and secrets are made up, state is in memory.
 *
 * @throws TypeError what `createGateway` says of the options
 */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const { resources = [EXAMPLE_RESOURCE], upstream: api = () => undefined, gateway: more = {} } = options;
  const faults = new Set<FaultName>();
  const [upstream, issuer] = await Promise.all([startFakeUpstream(api), createTestIssuer()]);
  const [tokens, server] = [createHttpServer(), createHttpServer(httpServerOptions())];
  const [tokenOrigin, url] = await Promise.all([listen(tokens), listen(server)]);
  const definitions = resources.map((resource) => inFrontOf(upstream.url, resource));
  const identifiers = definitions.map(({ identifier }) => identifier);
  const granted = resources.map(({ identifier, scopes = [] }) => ({ resource: identifier, scopes }));
  const book = new RecordBook();
  const audit = { sink: { append: (record: AuditRecord) => book.add(record) } };
  const revocations = memoryRevocationStore();
  const secret = crypto.randomUUID();

  const service = await createTokenService({
    issuer: tokenOrigin,
    resources: granted.map(({ resource, scopes }) => ({ identifier: resource, scopes })),
    applications: [{ id: APPLICATION, secret: new Secret(secret), grants: granted }],
    revocations,
    audit,
    ...(more.telemetry === undefined ? undefined : { telemetry: more.telemetry }),
  });
  tokens.on('request', (req, res) => {
    if (faults.has('token_endpoint_down')) res.writeHead(503, { 'Retry-After': '1' }).end();
    else void service.listener(req, res); // never rejects
  });

  const isDown = () => faults.has('issuer_down');
  const testKeys = localKeySource({
    issuer: issuer.issuer,
    keys: issuer.jwks().keys,
    algorithms: ALGORITHMS,
    onWarning: () => {},
  });
  const gateway = createGateway({
    publicUrl: url,
    onFault: () => {}, // a test breaks things on purpose, and reads the records
    ...more,
    issuers: [
      { issuer: issuer.issuer, keySource: breakableKeys(testKeys, isDown) },
      { issuer: service.issuer, keySource: breakableKeys(service.keySource, isDown) },
    ],
    resources: definitions,
    revocations: breakableRevocations(revocations, () => faults.has('store_stale')),
    audit,
  });
  const { drain } = attach(server, gateway);

  const good = {
    client_id: APPLICATION,
    target: identifiers,
    scope: [...new Set(granted.flatMap(({ scopes }) => scopes))].join(' '),
  };
  const mint = (claims: Claims = {}, header: Claims = {}) => issuer.mint({ ...good, ...claims }, header);
  const close = async () => {
    await Promise.all([drain({ timeoutMs: 1 }), service.close()]);
    await Promise.all([upstream.close(), closeServer(tokens)]);
  };
  return {
    url,
    profile: {
      gatewayUrl: url,
      tokenUrl: `${tokenOrigin}/oauth/2/token`,
      zone: 'default',
      applicationId: APPLICATION,
      applicationSecret: secret,
      resources: identifiers.map((identifier) => ({ identifier })),
    },
    calls: upstream.calls,
    issuer,
    mint,
    wrongMandates: () =>
      Promise.all(
        [...WRONG_TEXTS, ...WRONG_HEADERS, ...WRONG_CLAIMS].map(
          async ([what, make]) => [what, await make(issuer, good)] as const,
        ),
      ),
    call: async (path, { method = 'GET', resource = identifiers[0]!, mandate, headers, body } = {}) => {
      const bearer = mandate === undefined ? await mint() : mandate;
      return fetch(url + path, {
        method,
        redirect: 'manual',
        headers: {
          'X-Caracal-Resource': resource,
          ...(bearer === null ? undefined : { Authorization: `Bearer ${bearer}` }),
          ...headers,
        },
        ...(body === undefined ? undefined : { body }),
      });
    },
    records: async (answer) => {
      if (answer === undefined) return book.all;
      return book.of(typeof answer === 'string' ? answer : (answer.headers.get('x-caracal-request-id') ?? ''));
    },
    revoke: (anchor) => revocations.revoke({ zoneId: issuer.zoneId, issuer: issuer.issuer, ...anchor }),
    fault: async (name) => {
      faults.add(name);
      if (name === 'upstream_slow') upstream.stall();
      if (name === 'upstream_dead') await upstream.die();
    },
    mend: async () => {
      faults.clear();
      await upstream.mend();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
