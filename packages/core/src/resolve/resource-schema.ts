import * as v from 'valibot';
import type { Provider } from '../attach/provider.js';
import { isHost } from '../head/host.js';
import { checkPath } from '../head/target.js';
import { isResourceIdentifier } from './resource-identifier.js';

/** Longest delay a timer takes; a longer one would fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

const ID = /^[A-Za-z0-9._:-]{1,128}$/;
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/;

const id = v.pipe(v.string(), v.regex(ID, 'is 1 to 128 of A-Z a-z 0-9 . _ : -'));
const scopes = v.pipe(
  v.array(v.pipe(v.string(), v.regex(SCOPE_TOKEN, 'is one scope token, without spaces (RFC 6749 section 3.3)'))),
  v.check((list) => new Set(list).size === list.length, 'names a scope twice'),
);
const path = v.pipe(
  v.string(),
  v.check((text) => checkPath(text) === undefined, 'is a path: begins with /, no query, no dot segment, escaped'),
);
const timeoutMs = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_TIMEOUT_MS));
const count = (least: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(least));
const pem = v.pipe(v.string(), v.nonEmpty('is empty'));

const mount = v.pipe(
  v.strictObject({
    host: v.optional(v.pipe(v.string(), v.check(isHost, 'is a host, with or without a port'))),
    pathPrefix: v.optional(
      v.pipe(
        path,
        v.check((text) => !text.includes('//'), 'has an empty segment'),
      ),
    ),
  }),
  v.check(
    ({ host, pathPrefix }) => host !== undefined || pathPrefix !== undefined,
    'names neither host nor pathPrefix; "/" is the prefix of every path',
  ),
);

const tls = v.pipe(
  v.strictObject({
    ca: v.optional(pem),
    cert: v.optional(pem),
    key: v.optional(pem),
    serverName: v.optional(v.pipe(v.string(), v.check(isHost, 'is a host name'))),
  }),
  v.check(({ cert, key }) => (cert === undefined) === (key === undefined), 'cert and key go together'),
);

/** Structure of a `ResourceDefinition`; what its members must be to each other is checked by `defineResource`. */
export const resourceSchema = v.strictObject({
  identifier: v.pipe(
    v.string(),
    v.check(isResourceIdentifier, 'is an absolute URI of at most 512 characters, without commas and fragment'),
  ),
  zone: v.optional(id),
  scopes: v.optional(scopes),
  upstreamUrl: v.optional(v.string()),
  gatewayApplication: v.optional(id),
  provider: v.custom<Provider>(isProvider, 'is a provider: the result of noCredential(), apiKey(), bearerToken(), ...'),
  operations: v.optional(
    v.array(
      v.strictObject({
        method: v.string(),
        path: v.string(),
        scopes: v.optional(scopes),
        name: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(128))),
      }),
    ),
  ),
  operationEnforcement: v.optional(v.picklist(['enforced', 'any'])),
  mandateReuse: v.optional(v.picklist(['until_expiry', 'single_use'])),
  require: v.optional(
    v.strictObject({
      session: v.optional(v.boolean()),
      delegation: v.optional(v.boolean()),
      maxHops: v.optional(count(0)),
      chainContains: v.optional(v.array(id)),
    }),
  ),
  rateLimit: v.optional(v.strictObject({ requests: count(1), windowSeconds: count(1) })),
  allowPrivateNetwork: v.optional(v.union([v.boolean(), v.array(v.string())])),
  allowPlaintext: v.optional(v.boolean()),
  passCookies: v.optional(v.boolean()),
  redirects: v.optional(v.picklist(['pass', 'block'])),
  forwarded: v.optional(v.picklist(['none', 'x-forwarded', 'forwarded'])),
  websocket: v.optional(v.boolean()),
  onExpiry: v.optional(v.picklist(['cut', 'finish'])),
  mount: v.optional(mount),
  tls: v.optional(tls),
  check: v.optional(v.strictObject({ method: v.picklist(['GET', 'HEAD', 'OPTIONS', 'POST']), path })),
  connectTimeoutMs: v.optional(timeoutMs),
  headersTimeoutMs: v.optional(timeoutMs),
  idleTimeoutMs: v.optional(timeoutMs),
  streamIdleTimeoutMs: v.optional(timeoutMs),
  maxBodyBytes: v.optional(v.union([count(0), v.literal('unlimited')])),
});

/** A definition whose structure is in order. */
export type ParsedDefinition = v.InferOutput<typeof resourceSchema>;

const PROVIDER_KINDS: ReadonlySet<unknown> = new Set([
  'none',
  'caracal_mandate',
  'oauth2_client_credentials',
  'oauth2_authorization_code',
  'api_key',
  'bearer_token',
  'http_basic',
] satisfies Provider['kind'][]);

function isProvider(input: unknown): boolean {
  if (typeof input !== 'object' || input === null) return false;
  const provider = input as Partial<Record<keyof Provider, unknown>>;
  return (
    typeof provider.id === 'string' &&
    PROVIDER_KINDS.has(provider.kind) &&
    (provider.origins === undefined || isStrings(provider.origins)) &&
    isStrings(provider.headerNames) &&
    typeof provider.renewable === 'boolean' &&
    typeof provider.attach === 'function' &&
    typeof provider.renew === 'function'
  );
}

function isStrings(input: unknown): boolean {
  return Array.isArray(input) && input.every((item) => typeof item === 'string');
}
