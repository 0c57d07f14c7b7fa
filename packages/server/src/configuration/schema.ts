import { GATEWAY_DEFAULTS, resourceSchema } from '@caracal/core';
import * as v from 'valibot';
import { parseListen } from './listen.js';
import { allowPrivateNetwork, connectSchema } from './oauth-schema.js';
import { providerSchema } from './provider-schema.js';
import { applicationSecret, plainReference, secretReference } from './secret-reference.js';

const NAME = /^[A-Za-z0-9._:-]{1,128}$/;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

const name = (description: string) =>
  v.pipe(v.string(), v.regex(NAME, 'is no name; use 1 to 128 of A-Z a-z 0-9 . _ : -'), v.description(description));
const text = (description: string) =>
  v.pipe(v.string(), v.nonEmpty('is empty; give it or leave it out'), v.description(description));
const milliseconds = (description: string, fallback: number) =>
  v.optional(
    v.pipe(
      v.number(),
      v.integer('is no whole number; give milliseconds'),
      v.minValue(1, 'is below 1; give milliseconds'),
      v.maxValue(MAX_TIMEOUT_MS, 'is more than a timer takes; give at most 2147483647'),
      v.description(description),
    ),
    fallback,
  );
const count = (description: string) =>
  v.pipe(
    v.number(),
    v.safeInteger('is no whole number; give one'),
    v.minValue(1, 'is below 1; give at least 1'),
    v.description(description),
  );
const listen = (fallback: string) =>
  v.optional(
    v.pipe(
      v.union([v.string(), v.number()], 'is no address; give "127.0.0.1:8081", a port (on loopback), or "unix:/path"'),
      v.check(
        (value) => parseListen(value) !== undefined,
        'is no address; give "127.0.0.1:8081", "[::1]:8081", a port (on loopback), or "unix:/path"',
      ),
      v.description(
        '`host:port`, `[v6]:port`, a port alone (on loopback), or `unix:PATH`. Port 0 is one the system chooses. Not changed by a reload.',
      ),
    ),
    fallback,
  );

/** TLS of a listener. */
const listenerTls = v.pipe(
  v.strictObject({
    cert: text('Path of the certificate chain, PEM. Read again when it changes.'),
    key: text('Path of its private key, PEM. Read again when it changes.'),
  }),
  v.description('Serves HTTPS with this certificate.'),
);
const trustedProxies = v.optional(
  v.pipe(
    v.array(v.string()),
    v.description(
      'Addresses or CIDR blocks of the proxies in front, whose `X-Forwarded-For` is believed: for counting what one caller does wrong, and for records. `unix`: a proxy that connects through a socket of the file system. Not changed by a reload.',
    ),
  ),
  [],
);

const gateway = v.strictObject({
  id: v.optional(text('Its name in records.'), GATEWAY_DEFAULTS.gatewayId),
  listen: listen('127.0.0.1:8081'),
  publicUrl: v.optional(
    text('Where callers reach it: scheme, host, port. Redirects into a resource are rewritten to it.'),
  ),
  trustedProxies,
  tls: v.optional(listenerTls),
  cors: v.optional(
    v.pipe(
      v.strictObject({
        origins: v.pipe(v.array(v.string()), v.description('Origins such as `https://app.example`.')),
      }),
      v.description('Browser origins that may call; preflights are answered by the gateway.'),
    ),
  ),
  identity: v.optional(
    v.pipe(
      v.strictObject({
        application: name('Id of the application.'),
        secret: v.optional(
          v.pipe(
            secretReference,
            v.description('Where its secret is kept. Needed where the token service is not in this process.'),
          ),
        ),
        tokenEndpoint: v.optional(text('Where mandates are exchanged, if there is no token service in this process.')),
        allowPrivateNetwork,
      }),
      v.description(
        'Who the gateway is where it exchanges mandates (`caracal_mandate`): the `gatewayApplication` of resources.',
      ),
    ),
  ),
  audit: v.optional(
    v.pipe(
      v.strictObject({
        durability: v.optional(
          v.pipe(
            v.picklist(['synced', 'written', 'buffered'], 'is no durability; choose synced, written or buffered'),
            v.description('What an accepted record survives: power loss, a killed process, or neither.'),
          ),
          GATEWAY_DEFAULTS.durability,
        ),
        retentionDays: v.optional(
          v.pipe(
            v.number(),
            v.minValue(1, 'is below 1; give days'),
            v.description('Records older than this are removed, a segment at a time. Not changed by a reload.'),
          ),
          365,
        ),
        signingKey: v.optional(
          v.pipe(
            plainReference,
            v.description(
              'Where the Ed25519 private key (PKCS #8, PEM) is kept that signs the heads of the chain. Default: generated in the state directory, with a warning. Not changed by a reload.',
            ),
          ),
        ),
        heads: v.optional(
          v.pipe(
            v.picklist(['file', 'stdout'], 'is no place for heads; choose file or stdout'),
            v.description(
              '`stdout`: the signed heads also go to standard output, one a line, to be kept where this machine cannot change them. Not changed by a reload.',
            ),
          ),
          'file',
        ),
        room: v.optional(count('Records on their way to the disk, or reserved, at once.'), GATEWAY_DEFAULTS.room),
      }),
      v.description('Evidence of every request.'),
    ),
    {},
  ),
  drainTimeoutMs: milliseconds('How long requests under way may take to end when the process is told to stop.', 30_000),
  maxStalenessMs: milliseconds(
    'How old the proof may be that the state of revocations is complete.',
    GATEWAY_DEFAULTS.maxStalenessMs,
  ),
  portTimeoutMs: milliseconds('How long a store may take.', GATEWAY_DEFAULTS.portTimeoutMs),
  headersTimeoutMs: milliseconds(
    'How long a caller may take to send the head of a request. Not changed by a reload.',
    60_000,
  ),
  keepAliveTimeoutMs: milliseconds('How long an idle connection is kept. Not changed by a reload.', 65_000),
});

const application = v.strictObject({
  id: name('`client_id` of its mandates.'),
  secret: v.optional(v.pipe(applicationSecret, v.description('Where its secret is kept. Give this or `publicKeys`.'))),
  publicKeys: v.optional(
    v.pipe(
      v.array(v.looseObject({})),
      v.description('Its public keys as JWKs, each with a `kid`, where it proves itself with `private_key_jwt`.'),
    ),
  ),
  grants: v.optional(
    v.pipe(
      v.array(
        v.strictObject({
          resource: text('Identifier of one of `resources`.'),
          scopes: v.optional(v.pipe(v.array(v.string()), v.description('Some of the scopes of the resource.')), []),
        }),
      ),
      v.description('What it may reach.'),
    ),
    [],
  ),
});

const tokenService = v.strictObject({
  listen: listen('127.0.0.1:8080'),
  issuer: v.optional(
    text(
      '`iss` of its mandates, and the URL clients reach it at. Default: `http://` (`https://` with `tls`) and `listen`. Not changed by a reload.',
    ),
  ),
  tls: v.optional(listenerTls),
  trustedProxies,
  algorithm: v.optional(
    v.pipe(
      v.picklist(['ES256', 'EdDSA'], 'is no algorithm of ours; choose ES256 or EdDSA'),
      v.description('Of signing keys made from now on.'),
    ),
    'ES256',
  ),
  keyRotationDays: v.optional(
    v.pipe(
      v.number(),
      v.minValue(1, 'is below 1; give days'),
      v.maxValue(3650, 'is above 3650; give days'),
      v.description('A signing key of this age is followed by a new one.'),
    ),
    30,
  ),
  applications: v.pipe(
    v.array(application),
    v.minLength(1, 'is empty; nobody could be issued a mandate: name an application'),
    v.description('Who may be issued mandates.'),
  ),
});

const issuer = v.strictObject({
  issuer: text('The exact `iss` of its mandates.'),
  zone: v.optional(name('The zone it is trusted for. Default: the zone of this file.')),
  profile: v.optional(
    v.pipe(
      v.picklist(['caracal', 'rfc9068'], 'is no profile; choose caracal or rfc9068'),
      v.description('How its claims are read.'),
    ),
  ),
  jwksUri: v.optional(text('Where its key set is: https, or http on loopback. Give this or `keys`.')),
  keys: v.optional(v.pipe(v.array(v.looseObject({})), v.description('Its public keys as JWKs, each with a `kid`.'))),
  algorithms: v.optional(
    v.pipe(
      v.array(
        v.picklist(
          ['ES256', 'EdDSA', 'RS256', 'PS256'],
          'is no algorithm that is accepted; choose ES256, EdDSA, RS256 or PS256',
        ),
      ),
      v.description('What it may sign with. Default ES256 and EdDSA.'),
    ),
  ),
  types: v.optional(
    v.pipe(v.array(v.string()), v.description('What `typ` may be. Default `JWT` and `at+jwt`, for rfc9068 `at+jwt`.')),
  ),
  claims: v.optional(
    v.pipe(
      v.record(v.string(), v.string()),
      v.description('Profile rfc9068: names of the claims that the RFC does not define.'),
    ),
  ),
  allowPrivateNetwork: v.optional(
    v.pipe(
      v.union([v.boolean(), v.array(v.string())], 'is neither true, false nor a list; give CIDR blocks'),
      v.description('Whether `jwksUri` may lead to private addresses.'),
    ),
  ),
});

/** What each member of a resource means; what it must be is core's to say. */
const RESOURCE_TEXTS: Readonly<Record<keyof typeof resourceSchema.entries, string>> = {
  identifier: 'What callers name in `X-Caracal-Resource`: an absolute URI.',
  zone: 'Its tenant. Default: the zone of this file.',
  scopes: 'Every scope there is on it; needed where no operation applies.',
  upstreamUrl: 'Where requests go: http or https, with a base path where there is one.',
  gatewayApplication: 'The application that may exchange a mandate for one with this resource as its audience.',
  provider: 'Id of one of `providers`: whose credential is attached.',
  operations: 'What may be called. The most specific template wins.',
  operationEnforcement: '`enforced`: what is not declared is refused. `any`: it needs all scopes of the resource.',
  mandateReuse:
    '`single_use`: each mandate is good for one request; at several servers only where they share `stores.redis`.',
  require: 'What the mandate must show beside scopes.',
  rateLimit: 'For each application of a zone and issuer.',
  allowPrivateNetwork: 'Whether the upstream may be on private addresses: all, or CIDR blocks.',
  allowPlaintext: 'Lets a credential go over http beyond loopback.',
  passCookies: 'Cookies pass both ways.',
  redirects: '`block`: a redirect to another origin is answered with 502.',
  forwarded: 'Which header tells the upstream the caller’s address.',
  websocket: 'Whether WebSockets are let through.',
  onExpiry: '`finish`: streams outlive their mandate.',
  mount: 'Host or path prefix for clients that cannot send the resource header.',
  tls: 'TLS towards the upstream. Each PEM is kept in a file or the environment.',
  check: 'The request that `caracal check` makes.',
  connectTimeoutMs: 'For one connection attempt.',
  headersTimeoutMs: 'Until the head of the answer.',
  idleTimeoutMs: 'Without progress while the other side is ready.',
  streamIdleTimeoutMs: 'The same for event streams and WebSockets.',
  maxBodyBytes: 'Largest request body.',
};

const resourceMembers = Object.fromEntries(
  Object.entries(resourceSchema.entries).map(([member, schema]) => [
    member,
    described(schema, RESOURCE_TEXTS[member as keyof typeof RESOURCE_TEXTS]),
  ]),
) as unknown as typeof resourceSchema.entries;

// The description belongs to what is optional, not around it.
function described(schema: v.GenericSchema, description: string): v.GenericSchema {
  if (schema.type !== 'optional') return v.pipe(schema, v.description(description));
  return v.optional(
    v.pipe((schema as v.OptionalSchema<v.GenericSchema, undefined>).wrapped, v.description(description)),
  );
}

/** TLS towards a server of others. */
const clientTls = {
  ca: v.optional(v.pipe(plainReference, v.description('Where the authority’s certificate is kept, PEM.'))),
  cert: v.optional(v.pipe(plainReference, v.description('Where our certificate is kept, PEM.'))),
  key: v.optional(v.pipe(plainReference, v.description('Where its private key is kept, PEM.'))),
  serverName: v.optional(text('The name to verify, where it is not the host.')),
};

const resource = v.strictObject({
  ...resourceMembers,
  provider: v.optional(text(RESOURCE_TEXTS.provider)),
  tls: v.optional(v.pipe(v.strictObject(clientTls), v.description(RESOURCE_TEXTS.tls))),
});

const stores = v.strictObject({
  stateDirectory: v.optional(
    text(
      'Where evidence, revocations and keys are kept, from the directory of the configuration file. One process owns it. Not changed by a reload.',
    ),
    '.caracal',
  ),
  redis: v.optional(
    v.pipe(
      v.strictObject({
        url: v.pipe(
          plainReference,
          v.description('Where its URL is kept: `redis://user:password@host:6379`, or `rediss://` for TLS.'),
        ),
        prefix: v.optional(
          v.pipe(
            v.string(),
            v.regex(/^[A-Za-z0-9._-]{1,64}$/, 'is no prefix; use 1 to 64 of A-Z a-z 0-9 . _ -'),
            v.description('Begins every key; the same in every process that shares.'),
          ),
          'caracal',
        ),
        signingKey: v.optional(
          v.pipe(
            plainReference,
            v.description(
              'Where the key is kept that seals revocations: base64 of at least 32 random bytes, the same in every process and unknown to Redis. Without, whoever writes to Redis can revoke and lift.',
            ),
          ),
        ),
        waitReplicas: v.optional(
          v.pipe(
            v.number(),
            v.integer('is no whole number; give one'),
            v.minValue(0, 'is below 0; give 0 for none'),
            v.maxValue(16, 'is above 16; give fewer'),
            v.description(
              'Replicas that must have confirmed a revocation before it is answered as done; with fewer the answer is 503, though it is in effect.',
            ),
          ),
          0,
        ),
      }),
      v.description(
        'Shared by every process: revocations, used mandates, rate limits. Default: this process alone, in the state directory.',
      ),
    ),
  ),
  postgres: v.optional(
    v.pipe(
      v.strictObject({
        url: v.pipe(
          plainReference,
          v.description('Where its URL is kept: `postgres://user:password@host:5432/database`.'),
        ),
        readerUrl: v.optional(
          v.pipe(
            plainReference,
            v.description(
              "Where the URL of a role that may read evidence is kept, for `caracal audit` and `/v1/audit` of the admin endpoint. Default: `url`, whose role needs the reader's grants then.",
            ),
          ),
        ),
        poolSize: v.optional(
          v.pipe(count('Connections of this process at most.'), v.maxValue(100, 'is more than 100; give fewer')),
          10,
        ),
        tls: v.optional(
          v.pipe(
            v.strictObject(clientTls),
            v.description(
              'Speaks TLS and verifies the server: with `{}` by the authorities of Node. Instead of `sslmode` in the URL, not beside it.',
            ),
          ),
        ),
        audit: v.optional(
          v.pipe(v.boolean(), v.description('Evidence is shipped to it from the journal, which stays the queue.')),
          true,
        ),
        connections: v.optional(
          v.pipe(v.boolean(), v.description('Connected accounts are kept in it, for every process.')),
          true,
        ),
        resources: v.optional(
          v.pipe(
            v.boolean(),
            v.description(
              'Its table `caracal.resources` is served beside `resources`, and followed: a change is in force at once, in every process.',
            ),
          ),
          false,
        ),
      }),
      v.description(
        'Shared by every process: evidence, connected accounts, resources. Make its tables with `caracal migrate`.',
      ),
    ),
  ),
});

const admin = v.strictObject({
  listen: listen('127.0.0.1:8082'),
  token: v.pipe(
    plainReference,
    v.description('Where the bearer token is kept that everything but health asks for: at least 16 characters.'),
  ),
  tls: v.optional(listenerTls),
});

/** The whole file: one source for its checks, its types, its JSON Schema and docs/configuration.md. */
export const configurationSchema = v.pipe(
  v.strictObject({
    $schema: v.optional(text('For editors: where the JSON Schema is.')),
    zone: v.optional(name('The tenant of everything that names none. Not changed by a reload.'), 'default'),
    gateway: v.optional(v.pipe(gateway, v.description('The listener callers use.')), {}),
    tokenService: v.optional(
      v.pipe(tokenService, v.description('Issues mandates. Leave it out to trust other issuers only.')),
    ),
    issuers: v.optional(v.pipe(v.array(issuer), v.description('Other issuers whose mandates are trusted.')), []),
    sealing: v.optional(
      v.pipe(
        v.strictObject({
          keys: v.pipe(
            v.array(
              v.strictObject({
                id: v.pipe(
                  v.string(),
                  v.regex(/^[A-Za-z0-9_-]{1,64}$/, 'is no id of a key; use 1 to 64 of A-Z a-z 0-9 _ -'),
                  v.description('Stands in every envelope the key has sealed.'),
                ),
                key: v.pipe(plainReference, v.description('Where the key is kept: base64url of 32 bytes.')),
              }),
            ),
            v.minLength(1, 'is empty; name a key, or leave sealing out'),
            v.description('The first seals, all open.'),
          ),
        }),
        v.description(
          'Keys that seal secrets and signing keys. Default: one generated in the state directory, with a warning.',
        ),
      ),
    ),
    connect: v.optional(
      v.pipe(connectSchema, v.description('Where people connect accounts: on the listener of the token service.')),
    ),
    providers: v.optional(v.pipe(v.array(providerSchema), v.description('The upstreams’ own credentials.')), []),
    resources: v.optional(v.pipe(v.array(resource), v.description('What may be called.')), []),
    stores: v.optional(v.pipe(stores, v.description('Where state is kept.')), {}),
    admin: v.optional(v.pipe(admin, v.description('Health, metrics, revocation, audit.'))),
  }),
  v.title('Caracal configuration'),
);

/** A configuration as it stands in a file or a module. */
export type ConfigurationFile = v.InferInput<typeof configurationSchema>;

/** A configuration that has been checked, its defaults filled in. */
export type ParsedConfiguration = v.InferOutput<typeof configurationSchema>;
